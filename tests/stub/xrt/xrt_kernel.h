#ifndef XRT_KERNEL_STUB_H
#define XRT_KERNEL_STUB_H

#include "xrt_device.h"

typedef void *xrtKernelHandle;
typedef void *xrtRunHandle;
enum ert_cmd_state {
    ERT_CMD_STATE_NEW = 1,
    ERT_CMD_STATE_QUEUED = 2,
    ERT_CMD_STATE_RUNNING = 3,
    ERT_CMD_STATE_COMPLETED = 4,
    ERT_CMD_STATE_ERROR = 5,
    ERT_CMD_STATE_ABORT = 6,
    ERT_CMD_STATE_SUBMITTED = 7,
    ERT_CMD_STATE_TIMEOUT = 8,
    ERT_CMD_STATE_NORESPONSE = 9
};

xrtKernelHandle xrtPLKernelOpen(xrtDeviceHandle device, const xuid_t id, const char *name);
int xrtKernelClose(xrtKernelHandle kernel);
int xrtKernelArgGroupId(xrtKernelHandle kernel, int argument);
xrtRunHandle xrtRunOpen(xrtKernelHandle kernel);
int xrtRunSetArg(xrtRunHandle run, int argument, ...);
int xrtRunStart(xrtRunHandle run);
enum ert_cmd_state xrtRunWait(xrtRunHandle run);
int xrtRunClose(xrtRunHandle run);

#endif
