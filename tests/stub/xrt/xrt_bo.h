#ifndef XRT_BO_STUB_H
#define XRT_BO_STUB_H

#include "xrt_device.h"

#include <stddef.h>
#include <stdint.h>

typedef void *xrtBufferHandle;
typedef uint64_t xrtBufferFlags;
typedef uint32_t xrtMemoryGroup;
enum xclBOSyncDirection { XCL_BO_SYNC_BO_TO_DEVICE = 0, XCL_BO_SYNC_BO_FROM_DEVICE };

xrtBufferHandle xrtBOAlloc(xrtDeviceHandle device, size_t size, xrtBufferFlags flags, xrtMemoryGroup group);
int xrtBOFree(xrtBufferHandle buffer);
int xrtBOSync(xrtBufferHandle buffer, enum xclBOSyncDirection direction, size_t size, size_t offset);
int xrtBOWrite(xrtBufferHandle buffer, const void *from, size_t size, size_t seek);
int xrtBORead(xrtBufferHandle buffer, void *to, size_t size, size_t skip);

#endif
