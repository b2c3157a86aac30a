#ifndef XRT_DEVICE_STUB_H
#define XRT_DEVICE_STUB_H

// The part of XRT's native C API that device xrt uses, declared as XRT declares it, so that it keeps
// compiling and can be tested where XRT is not installed.

typedef unsigned char xuid_t[16];
typedef void *xrtDeviceHandle;

xrtDeviceHandle xrtDeviceOpen(unsigned int index);
int xrtDeviceClose(xrtDeviceHandle device);
int xrtDeviceLoadXclbinFile(xrtDeviceHandle device, const char *path);
int xrtDeviceGetXclbinUUID(xrtDeviceHandle device, xuid_t out);

#endif
