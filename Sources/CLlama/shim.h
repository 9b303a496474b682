// The C interface of llama.cpp and ggml at the commit that scripts/bootstrap pins.
#pragma once
#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <ggml.h>
#include <gguf.h>
#include <llama.h>
