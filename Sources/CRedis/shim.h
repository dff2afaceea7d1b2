#include <hiredis/hiredis.h>
#include <hiredis/async.h>
#include <hiredis/sds.h>

// For TLS, which hiredis itself supports only from 1.0 on: the caller feeds decrypted bytes to the reader, calls this,
// and sends what is in the output buffer.
void redisProcessCallbacks(redisAsyncContext *context);

// The number of bytes waiting to be sent.
static inline size_t redisOutputLength(const redisContext *context) { return sdslen(context->obuf); }

// Removes sent bytes from the output buffer; frees it when it is empty, as hiredis does.
static inline void redisOutputSent(redisContext *context, size_t length) {
  if (length < sdslen(context->obuf)) {
    sdsrange(context->obuf, (int)length, -1);
  } else {
    sdsfree(context->obuf);
    context->obuf = sdsempty();
  }
}
