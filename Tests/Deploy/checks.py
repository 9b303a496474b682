"""All checks of Deploy/. `run` starts it."""

import sys

import containers
import machine_service
import manifests
import modal_app
from report import results


def main():
    containers.checks()
    machine_service.checks()
    manifests.checks()
    modal_app.checks()
    print("%d passed, %d failed" % (sum(results), len(results) - sum(results)))
    return not all(results)


if __name__ == "__main__":
    sys.exit(main())
