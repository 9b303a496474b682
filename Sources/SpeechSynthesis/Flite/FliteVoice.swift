internal import CFlite

/// The voices compiled into flite's libraries; American English, 16 kHz.
package enum FliteVoice: String, CaseIterable, Sendable {
    /// Female; statistical (CLUSTERGEN), CMU ARCTIC corpus. The default.
    case slt
    /// Male; statistical.
    case rms
    /// Male, Scottish; statistical.
    case awb
    /// Male; diphones: robotic, and twenty times less work.
    case kal16

    /// Hands out the voice's data, set up on the first call. On ``FliteThread`` only.
    var data: UnsafeMutablePointer<cst_voice>? {
        switch self {
        case .slt: register_cmu_us_slt(nil)
        case .rms: register_cmu_us_rms(nil)
        case .awb: register_cmu_us_awb(nil)
        case .kal16: register_cmu_us_kal16(nil)
        }
    }
}
