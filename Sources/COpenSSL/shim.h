// OpenSSL 3: digests, signatures, certificates, DTLS. What follows the includes are OpenSSL's macros as functions, because
// Swift sees no macros with arguments.
#pragma once
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static inline EVP_PKEY *openssl_p256_key(void) { return EVP_EC_gen("P-256"); }

static inline int openssl_context_set_version(SSL_CTX *context, int lowest, int highest) {
    return SSL_CTX_set_min_proto_version(context, lowest) == 1 && SSL_CTX_set_max_proto_version(context, highest) == 1;
}

static inline long openssl_context_set_groups(SSL_CTX *context, const char *names) {
    return SSL_CTX_set1_groups_list(context, names);
}

// Every handshake is a whole one, is done once, and asks nobody for the MTU.
static inline void openssl_context_simplify(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline long openssl_set_mtu(SSL *connection, long bytes) { return SSL_set_mtu(connection, bytes); }

// An empty memory BIO says "try again", not "end of file".
static inline BIO *openssl_memory_bio(void) {
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio) BIO_set_mem_eof_return(bio, -1);
    return bio;
}
