// The echo canceller of SpeexDSP 1.2.
#pragma once
#include <speex/speex_echo.h>
