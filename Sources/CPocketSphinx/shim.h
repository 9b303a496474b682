// The C interface of PocketSphinx 0.8+5prealpha and its SphinxBase, as Debian ships them.
#pragma once
#include <pocketsphinx.h>
#include <sphinxbase/cmn.h>
#include <sphinxbase/err.h>
