// OpenSSL's message digests, message authentication and signatures.
#pragma once
#include <openssl/evp.h>
#include <openssl/hmac.h>
