// The C interface of llama.cpp and ggml at the commit that scripts/bootstrap pins.
#pragma once
#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <ggml.h>
#include <gguf.h>
#include <llama.h>

#if defined(__linux__)
// glibc and musl declare these for _GNU_SOURCE only, which Swift's C importer does not set.
#include <pthread.h>
int pthread_setname_np(pthread_t thread, const char *name);
typedef struct {
    const char *dli_fname;
    void *dli_fbase;
    const char *dli_sname;
    void *dli_saddr;
} Dl_info;
int dladdr(const void *address, Dl_info *info);
#endif
