/* shim -- fibers, barriers, streams and memory for CUDA C on a processor (shim.h). */
#include "tests/shim/shim.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "tests/shim/cublas_v2.h"
#include "tests/shim/cuda_runtime.h"
#include "tests/shim/shim_control.h"

static shim_settings settings = {1, 9, 0, (uint64_t)1 << 30, 0, 0, 0, 0, 0};
static std::atomic<uint64_t> calls;
static std::atomic<int64_t> outstanding;

void shim_set(const shim_settings *wanted) {
    settings = *wanted;
    calls = 0;
}
uint64_t shim_calls(void) {
    return calls;
}
int64_t shim_outstanding(void) {
    return outstanding;
}
bool shim_late_copies() {
    return settings.late_copies != 0;
}

static void give_up(const char *what) {
    fprintf(stderr, "shim: %s\n", what);
    abort();
}

int shim_call(const char *) {
    return ++calls == settings.fail_at ? (int)cudaErrorLaunchFailure : 0;
}

/* ---- fibers ---- */

namespace {

enum { STACK_BYTES = 128 << 10, MEETINGS = 16, EXCHANGE_BYTES = 16 };

struct fiber {
    ucontext_t context;
    jmp_buf place;
    unsigned char *stack = NULL;
    bool entered = false, over = false;
    shim_pending pending;
};

struct meeting {
    unsigned arrived = 0;
    uint64_t generation = 0;
};

struct warp {
    unsigned arrived = 0;
    int kind = 0;
    unsigned bytes = 0;
    uint64_t generation = 0;
    unsigned char given[32 * EXCHANGE_BYTES], got[32 * EXCHANGE_BYTES];
};

struct block_state {
    std::deque<fiber> fibers; /* which keeps them where they are */
    std::vector<warp> warps;
    meeting meetings[MEETINGS];
    std::vector<shim_copy> bulk;
    std::unique_ptr<unsigned char[]> memory;
    unsigned char *shared = NULL;
    unsigned current = 0;
    uint64_t progress = 0;
    const std::function<void()> *kernel = NULL;
    ucontext_t scheduler;
    jmp_buf scheduler_place;
    const char *waits_for = "";
};

thread_local block_state *the_block; /* of this thread of the system; made by shim_run_grid */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
const bool SWAP = true; /* sanitizers follow swapcontext */
#else
const bool SWAP = false; /* which asks the kernel about signals each time */
#endif

void to_scheduler() {
    fiber &self = the_block->fibers[the_block->current];
    if (SWAP) {
        swapcontext(&self.context, &the_block->scheduler);
    } else if (_setjmp(self.place) == 0) {
        _longjmp(the_block->scheduler_place, 1);
    }
}

/* A fiber runs one thread of a block after the other, and waits in between. */
void run_fiber() {
    for (;;) {
        (*the_block->kernel)();
        the_block->fibers[the_block->current].over = true;
        the_block->progress++;
        to_scheduler();
    }
}

__attribute__((noinline)) void go_to(fiber &next) {
    if (next.entered && !SWAP) _longjmp(next.place, 1);
    if (!next.entered) {
        next.entered = true;
        getcontext(&next.context);
        next.context.uc_stack.ss_sp = next.stack;
        next.context.uc_stack.ss_size = STACK_BYTES;
        next.context.uc_link = NULL;
        makecontext(&next.context, run_fiber, 0);
    }
    swapcontext(&the_block->scheduler, &next.context);
}

void enter(unsigned n) {
    the_block->current = n;
    shim_here.thread.x = n;
    if (!SWAP && _setjmp(the_block->scheduler_place) != 0) return;
    go_to(the_block->fibers[n]);
}

/* The order of threads, by what the test chose. */
void put_in_order(std::vector<unsigned> &order, unsigned round) {
    const unsigned threads = (unsigned)order.size();
    for (unsigned n = 0; round == 0 && n < threads; n++) {
        order[n] = settings.order == 1 ? threads - 1 - n : n;
    }
    uint64_t state = (uint64_t)settings.order * 2654435761u + round;
    for (unsigned n = threads; settings.order > 1 && n > 1; n--) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        std::swap(order[n - 1], order[(state >> 33) % n]);
    }
}

void open_block(unsigned threads, size_t shared) {
    while (the_block->fibers.size() < threads) {
        the_block->fibers.emplace_back();
        void *stack =
            mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (stack == MAP_FAILED) give_up("no memory for a fiber");
        the_block->fibers.back().stack = (unsigned char *)stack;
    }
    for (unsigned n = 0; n < threads; n++) {
        the_block->fibers[n].over = false;
        the_block->fibers[n].pending = shim_pending();
    }
    the_block->warps.assign((threads + 31) / 32, warp());
    for (meeting &of : the_block->meetings) of = meeting();
    the_block->bulk.clear();
    the_block->memory.reset(new unsigned char[shared + 1024]);
    const uintptr_t at = (uintptr_t)the_block->memory.get();
    the_block->shared = the_block->memory.get() + (1024 - at % 1024) % 1024;
    memset(the_block->shared, 0xa5, shared);
}

void run_block(unsigned threads) {
    std::vector<unsigned> order(threads);
    unsigned left = threads;
    for (unsigned round = 0; left > 0; round++) {
        const uint64_t before = the_block->progress;
        put_in_order(order, round);
        for (unsigned n : order) {
            if (the_block->fibers[n].over) continue;
            enter(n);
            left -= the_block->fibers[n].over;
        }
        if (the_block->progress == before) give_up(the_block->waits_for);
    }
}

} // namespace

thread_local shim_thread shim_here;

void shim_progress() {
    the_block->progress++;
}
void shim_wait(const char *why) {
    the_block->waits_for = why;
    to_scheduler();
}
unsigned char *shim_shared_memory() {
    return the_block->shared;
}
shim_pending &shim_mine() {
    return the_block->fibers[the_block->current].pending;
}
std::vector<shim_copy> &shim_bulk_copies() {
    return the_block->bulk;
}

void shim_run_grid(unsigned blocks, unsigned threads, size_t shared,
                   const std::function<void()> &kernel) {
    static thread_local block_state mine;
    the_block = &mine;
    the_block->kernel = &kernel;
    shim_here.threads.x = threads;
    shim_here.blocks.x = blocks;
    for (unsigned n = 0; n < blocks; n++) {
        shim_here.block.x = n;
        open_block(threads, shared);
        run_block(threads);
    }
}

void shim_meet(unsigned barrier, unsigned count) {
    meeting &of = the_block->meetings[barrier];
    const uint64_t mine = of.generation;
    if (++of.arrived == count) {
        of.arrived = 0;
        of.generation++;
        shim_progress();
        return;
    }
    while (of.generation == mine) shim_wait("threads wait at a barrier that others do not reach");
    shim_progress();
}

void shim_whole_warp(uint32_t mask) {
    if (mask != 0xffffffffu) give_up("a part of a warp; the shim knows whole ones");
}

const unsigned char *shim_exchange(int kind, const void *mine, unsigned bytes) {
    warp &of = the_block->warps[threadIdx.x / 32];
    const uint64_t generation = of.generation;
    if (bytes > EXCHANGE_BYTES) give_up("an exchange of too much");
    if (of.arrived > 0 && (of.kind != kind || of.bytes != bytes)) {
        give_up("lanes of a warp meet at different instructions");
    }
    of.kind = kind;
    of.bytes = bytes;
    memcpy(of.given + threadIdx.x % 32 * bytes, mine, bytes);
    if (++of.arrived == 32) {
        of.arrived = 0;
        of.generation++;
        memcpy(of.got, of.given, sizeof of.got);
        shim_progress();
    }
    while (of.generation == generation) shim_wait("lanes wait for others of their warp");
    shim_progress();
    return of.got;
}

/* ---- halves, products ---- */

uint16_t shim_half_bits(int value) {
    const uint16_t sign = value < 0 ? 0x8000 : 0;
    unsigned size = (unsigned)(value < 0 ? -value : value), exponent = 25;
    if (size == 0) return sign;
    while (size < 1024) size *= 2, exponent--;
    while (size >= 2048) size /= 2, exponent++; /* 2048 alone is that large */
    return (uint16_t)(sign | exponent << 10 | (size & 1023));
}

float shim_half_value(uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    if (exponent == 0 && fraction == 0) return 0;
    if (exponent == 0 || exponent == 31) give_up("a half that no integer up to 2048 gives");
    const float size = ldexpf((float)(1024 + fraction), exponent - 25);
    return bits & 0x8000 ? -size : size;
}

namespace {

/* Every half's value; NAN for those that no component is. */
const float *half_values() {
    static const std::vector<float> values = [] {
        std::vector<float> all(65536, NAN);
        for (int n = -2048; n <= 2048; n++) all[shim_half_bits(n)] = (float)n;
        return all;
    }();
    return values.data();
}

} // namespace

void ptx_warp_product(float *sums, const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    const float *value = half_values();
    uint32_t fragments[32][6];
    const unsigned char *all = shim_exchange(SHIM_PRODUCT, a, 16);
    for (int lane = 0; lane < 32; lane++) memcpy(fragments[lane], all + lane * 16, 16);
    const uint32_t b[2] = {b0, b1};
    all = shim_exchange(SHIM_PRODUCT, b, 8);
    for (int lane = 0; lane < 32; lane++) memcpy(fragments[lane] + 4, all + lane * 8, 8);
    const uint32_t lane = threadIdx.x % 32;
    for (uint32_t n = 0; n < 4; n++) {
        const uint32_t row = lane / 4 + n / 2 * 8, column = lane % 4 * 2 + n % 2;
        for (uint32_t k = 0; k < 16; k++) {
            const uint32_t holder = k % 8 / 2, shift = k % 2 * 16;
            const uint32_t x = fragments[row % 8 * 4 + holder][k / 8 * 2 + row / 8] >> shift;
            const uint32_t y = fragments[column * 4 + holder][4 + k / 8] >> shift;
            sums[n] += value[x & 0xffff] * value[y & 0xffff];
        }
    }
}

namespace {

/* A row's 16 halves behind a descriptor: rows of 128 bytes, atoms of eight of them, the 128-byte
 * swizzle, which exclusive-ors bits 4-6 of the address with bits 7-9. */
void read_row(uint64_t descriptor, uint32_t row, float *out) {
    const uint32_t start = (uint32_t)(descriptor & 0x3fff) << 4;
    const uint32_t stride = (uint32_t)(descriptor >> 32 & 0x3fff) << 4;
    if (descriptor >> 62 != 1 || (descriptor >> 49 & 7) != 0) give_up("an unknown descriptor");
    for (uint32_t k = 0; k < 16; k++) {
        uint32_t address = start + row / 8 * stride + row % 8 * 128 + k * 2;
        address ^= (address >> 7 & 7) << 4;
        uint16_t bits;
        memcpy(&bits, shim_shared_memory() + address, sizeof bits);
        out[k] = half_values()[bits];
    }
}

} // namespace

void shim_do_product(const shim_product &product) {
    const uint32_t warp = threadIdx.x / 32 % 4, lane = threadIdx.x % 32;
    float a[2][16], b[16];
    for (uint32_t n = 0; n < 2; n++) read_row(product.a, warp * 16 + lane / 4 + n * 8, a[n]);
    for (uint32_t column = 0; column < 256; column++) {
        if (column % 8 / 2 != lane % 4) continue;
        read_row(product.b, column, b);
        for (uint32_t n = 0; n < 2; n++) {
            float *sum = product.sums + column / 8 * 4 + n * 2 + column % 2;
            float added = product.adding ? *sum : 0;
            for (uint32_t k = 0; k < 16; k++) added += a[n][k] * b[k];
            *sum = added;
        }
    }
}

/* ---- barriers in shared memory: what is left of a phase, packed into their 64 bits ---- */

namespace {

struct barrier_state {
    uint16_t count, arrivals; /* of a phase; of this one so far */
    uint32_t phase : 1;
    int32_t bytes : 31;
};
static_assert(sizeof(barrier_state) == 8, "a barrier has 64 bits");

void turn_if_over(barrier_state *of) {
    if (of->arrivals < of->count || of->bytes != 0) return;
    of->arrivals = 0;
    of->phase ^= 1;
    shim_progress();
}

void do_bulk(const shim_copy &copy) {
    barrier_state *of = (barrier_state *)(void *)copy.barrier;
    memcpy(copy.to, copy.from, copy.bytes);
    of->bytes -= (int32_t)copy.bytes;
    turn_if_over(of);
}

} // namespace

void ptx_barrier_open(uint64_t *barrier, uint32_t count) {
    barrier_state *of = (barrier_state *)(void *)barrier;
    *of = barrier_state();
    of->count = (uint16_t)count;
}
void ptx_barrier_arrive(uint64_t *barrier) {
    barrier_state *of = (barrier_state *)(void *)barrier;
    of->arrivals++;
    turn_if_over(of);
}
void ptx_barrier_arrive_expecting(uint64_t *barrier, uint32_t bytes) {
    ((barrier_state *)(void *)barrier)->bytes += (int32_t)bytes;
    ptx_barrier_arrive(barrier);
}
void ptx_barrier_wait(uint64_t *barrier, uint32_t parity) {
    const barrier_state *of = (const barrier_state *)(const void *)barrier;
    while (of->phase == parity) {
        std::vector<shim_copy> &all = shim_bulk_copies();
        for (size_t n = 0; n < all.size(); n++) {
            if (all[n].barrier != barrier) continue;
            const shim_copy copy = all[n];
            all.erase(all.begin() + (ptrdiff_t)n--);
            do_bulk(copy);
        }
        if (of->phase == parity) shim_wait("threads wait for a phase that does not end");
    }
    shim_progress();
}
void ptx_copy_bulk(void *to, const void *from, uint32_t bytes, uint64_t *barrier) {
    const shim_copy copy = {to, from, bytes, barrier};
    if ((uintptr_t)to % 16 != 0 || (uintptr_t)from % 16 != 0 || bytes % 16 != 0) {
        give_up("a bulk copy that is not of 16-byte pieces");
    }
    if (shim_late_copies()) {
        shim_bulk_copies().push_back(copy);
    } else {
        do_bulk(copy);
    }
}

/* ---- streams ---- */

struct shim_stream {
    std::deque<std::function<void()>> waiting;
    uint64_t given = 0, done = 0;

    void run_to(uint64_t end) {
        while (done < end) {
            const std::function<void()> next = std::move(waiting.front());
            waiting.pop_front();
            done++;
            next();
        }
    }
};
struct shim_event {
    shim_stream *stream = NULL;
    uint64_t place = 0;
};

void shim_enqueue(void *stream, std::function<void()> work) {
    shim_stream *of = (shim_stream *)stream;
    of->waiting.push_back(std::move(work));
    of->given++;
}

static cudaError_t call(const char *name) {
    return (cudaError_t)shim_call(name);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned) {
    if (call("stream") != cudaSuccess) return cudaErrorLaunchFailure;
    *out = new shim_stream;
    outstanding++;
    return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    outstanding--;
    delete stream;
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    stream->run_to(stream->given);
    return call("wait");
}
cudaError_t cudaEventCreate(cudaEvent_t *out) {
    if (call("event") != cudaSuccess) return cudaErrorLaunchFailure;
    *out = new shim_event;
    outstanding++;
    return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
    outstanding--;
    delete event;
    return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    event->stream = stream;
    event->place = stream->given;
    return call("record");
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    if (event->stream != NULL) event->stream->run_to(event->place);
    return call("wait");
}
cudaError_t cudaEventElapsedTime(float *out, cudaEvent_t, cudaEvent_t) {
    *out = 1;
    return call("elapsed");
}
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, int, cudaStream_t stream) {
    shim_enqueue(stream, [=] { memcpy(to, from, bytes); });
    return call("copy");
}
cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream) {
    shim_enqueue(stream, [=] { memset(to, value, bytes); });
    return call("clear");
}

/* ---- memory: poisoned, with an edge that must stay ---- */

enum { EDGE = 256 };

static cudaError_t take(void **out, size_t bytes, size_t poisoned) {
    if (call("allocate") != cudaSuccess) return cudaErrorMemoryAllocation;
    unsigned char *memory =
        (unsigned char *)aligned_alloc(EDGE, (EDGE + bytes + 2 * EDGE) / EDGE * EDGE);
    if (memory == NULL) return cudaErrorMemoryAllocation;
    memcpy(memory, &bytes, sizeof bytes);
    memset(memory + EDGE, 0xa5, poisoned < bytes ? poisoned : bytes);
    memset(memory + EDGE + bytes, 0x5c, 64);
    *out = memory + EDGE;
    outstanding++;
    return cudaSuccess;
}

static cudaError_t put_back(void *pointer) {
    unsigned char *memory = (unsigned char *)pointer - EDGE;
    size_t bytes;
    memcpy(&bytes, memory, sizeof bytes);
    for (size_t n = 0; n < 64; n++) {
        if (memory[EDGE + bytes + n] != 0x5c) give_up("something was written behind an allocation");
    }
    free(memory);
    outstanding--;
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **out, size_t bytes) {
    return take(out, bytes, bytes);
}
cudaError_t cudaFree(void *pointer) {
    return put_back(pointer);
}
cudaError_t cudaMallocHost(void **out, size_t bytes) {
    return take(out, bytes, 1 << 16); /* staging buffers are large, and written before they are read */
}
cudaError_t cudaFreeHost(void *pointer) {
    return put_back(pointer);
}

/* ---- devices ---- */

const char *cudaGetErrorString(cudaError_t error) {
    return error == cudaErrorLaunchFailure      ? "unspecified launch failure"
           : error == cudaErrorMemoryAllocation ? "out of memory"
                                                : "no such device";
}
cudaError_t cudaGetDeviceCount(int *out) {
    *out = settings.devices;
    return settings.devices > 0 ? cudaSuccess : (cudaError_t)35;
}
cudaError_t cudaSetDevice(int device) {
    return device < settings.devices ? cudaSuccess : cudaErrorInvalidValue;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *out, int) {
    *out = cudaDeviceProp();
    snprintf(out->name, sizeof out->name, "Shim");
    out->major = settings.major;
    out->minor = settings.minor;
    out->multiProcessorCount = 3;
    out->l2CacheSize = 4 << 20;
    out->totalGlobalMem = settings.memory;
    out->sharedMemPerBlockOptin = 227 << 10;
    return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t *out_free, size_t *out_all) {
    *out_free = *out_all = settings.memory;
    return call("memory");
}
cudaError_t cudaDriverGetVersion(int *out) {
    *out = 13000;
    return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int *out) {
    *out = CUDART_VERSION;
    return cudaSuccess;
}

/* ---- cuBLAS ---- */

struct shim_blas {
    cudaStream_t stream = NULL;
};

cublasStatus_t cublasCreate_v2(cublasHandle_t *out) {
    if (call("blas") != cudaSuccess) return CUBLAS_STATUS_NOT_INITIALIZED;
    *out = new shim_blas;
    outstanding++;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
    outstanding--;
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
    handle->stream = stream;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t, cublasMath_t) {
    return CUBLAS_STATUS_SUCCESS;
}

/* c (column n, row m at m + n ldc) = sum over k of a[m lda + k] b[n ldb + k]. */
template <class In, class Out, class Value>
static void multiply(int m, int n, int k, const In *a, int lda, const In *b, int ldb, Out *c,
                     int ldc, Value value) {
    std::vector<Out> x((size_t)m * (size_t)k), y((size_t)k);
    for (int i = 0; i < m; i++) {
        for (int p = 0; p < k; p++)
            x[(size_t)i * (size_t)k + (size_t)p] =
                (Out)value(a[(size_t)i * (size_t)lda + (size_t)p]);
    }
    for (int j = 0; j < n; j++) {
        for (int p = 0; p < k; p++)
            y[(size_t)p] = (Out)value(b[(size_t)j * (size_t)ldb + (size_t)p]);
        for (int i = 0; i < m; i++) {
            const Out *row = &x[(size_t)i * (size_t)k];
            Out sum = 0;
            for (int p = 0; p < k; p++) sum += row[p] * y[(size_t)p];
            c[(size_t)j * (size_t)ldc + (size_t)i] = sum;
        }
    }
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t, cublasOperation_t, int m,
                            int n, int k, const void *, const void *a, cudaDataType, int lda,
                            const void *b, cudaDataType, int ldb, const void *, void *c,
                            cudaDataType, int ldc, cublasComputeType_t, cublasGemmAlgo_t) {
    const float wrong = settings.wrong_blas;
    shim_enqueue(handle->stream, [=] {
        multiply(m, n, k, (const uint16_t *)a, lda, (const uint16_t *)b, ldb, (float *)c, ldc,
                 [](uint16_t bits) { return half_values()[bits]; });
        *(float *)c += wrong;
    });
    return call("product") == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_INITIALIZED;
}
cublasStatus_t cublasDgemm_v2(cublasHandle_t handle, cublasOperation_t, cublasOperation_t, int m,
                              int n, int k, const double *, const double *a, int lda,
                              const double *b, int ldb, const double *, double *c, int ldc) {
    shim_enqueue(handle->stream,
                 [=] { multiply(m, n, k, a, lda, b, ldb, c, ldc, [](double x) { return x; }); });
    return call("product") == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_INITIALIZED;
}

void *shim_blas_library(const char *) {
    static int there;
    return settings.no_blas ? NULL : &there;
}
void *shim_blas_symbol(void *, const char *name) {
    static const struct {
        const char *name;
        void *function;
    } all[] = {{"cublasCreate_v2", (void *)cublasCreate_v2},
               {"cublasDestroy_v2", (void *)cublasDestroy_v2},
               {"cublasSetStream_v2", (void *)cublasSetStream_v2},
               {"cublasSetMathMode", (void *)cublasSetMathMode},
               {"cublasGemmEx", (void *)cublasGemmEx},
               {"cublasDgemm_v2", (void *)cublasDgemm_v2}};
    for (const auto &of : all) {
        if (strcmp(of.name, name) == 0) return of.function;
    }
    return NULL;
}
