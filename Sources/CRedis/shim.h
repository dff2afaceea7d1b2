#include <hiredis/hiredis.h>
#include <hiredis/async.h>
#include <hiredis/sds.h>

// For TLS, which hiredis has of its own from 1.0 on only: that one feeds the reader what it has decrypted, calls this, and
// sends what is in the output buffer.
void redisProcessCallbacks(redisAsyncContext *context);

// How much waits to be sent.
static inline size_t redisOutputLength(const redisContext *context) { return sdslen(context->obuf); }

// Takes from the output buffer what was sent; a buffer that is empty then is given back, as hiredis does.
static inline void redisOutputSent(redisContext *context, size_t length) {
  if (length < sdslen(context->obuf)) {
    sdsrange(context->obuf, (int)length, -1);
  } else {
    sdsfree(context->obuf);
    context->obuf = sdsempty();
  }
}
