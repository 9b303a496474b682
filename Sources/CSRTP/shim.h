// libsrtp 2: SRTP and SRTCP.
#pragma once
#include <srtp2/srtp.h>
