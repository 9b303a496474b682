// The C interface of flite 2.2: what its installed headers declare, the entry points of its voices, which they do not,
// and a guard.
#pragma once
#include <flite/flite.h>
#include <setjmp.h>
#include <stdlib.h>

cst_voice *register_cmu_us_slt(const char *voxdir);
cst_voice *register_cmu_us_rms(const char *voxdir);
cst_voice *register_cmu_us_awb(const char *voxdir);
cst_voice *register_cmu_us_kal16(const char *voxdir);

// The lexicon with its letter-to-sound rules; sets up its tables on the first call.
cst_lexicon *cmu_lex_init(void);

// Makes the utterance call back with its audio as it is made; it owns `streaming` from then on.
//
// Here and not in Swift because flite keeps the pointer to a feature's name, so the name must live as long as the process.
static inline void flite_stream(cst_utterance *utterance, cst_audio_streaming_info *streaming) {
    feat_set(utterance->features, "streaming_info", audio_streaming_info_val(streaming));
}

// Synthesises the utterance with the voice, as flite_do_synth, and returns it, or NULL when flite met an error of its own.
//
// cst_error() ends the process unless cst_errjmp is set (cst_error.h). After such a jump the utterance is in an unknown
// state and is left alone. The jump never crosses frames of the caller: flite fails in its own code only.
//
// The statistical voices draw their noise from rand(); seeded here, the same text always gives the same audio.
static inline cst_utterance *flite_guarded_synth(cst_utterance *utterance, cst_voice *voice) {
    jmp_buf here;
    srand(1);
    cst_errjmp = &here;
    cst_utterance *volatile result = NULL;
    if (setjmp(here) == 0) {
        result = flite_do_synth(utterance, voice, utt_synth);
    }
    cst_errjmp = NULL;
    return result;
}
