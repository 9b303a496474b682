internal import Foundation

/// Where `scripts/bootstrap` puts models: `$REPARTEE_MODELS`, else `models` in `$REPARTEE_CACHE`, else `~/.cache/repartee/models`. An empty
/// variable counts as none.
package let modelsFolder: String = {
    let environment = ProcessInfo.processInfo.environment.filter { !$0.value.isEmpty }
    let cache =
        environment["REPARTEE_CACHE"] ?? FileManager.default.homeDirectoryForCurrentUser.path + "/.cache/repartee"
    return environment["REPARTEE_MODELS"] ?? cache + "/models"
}()
