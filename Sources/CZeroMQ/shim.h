#include <zmq.h>
#include <linux/filter.h>
