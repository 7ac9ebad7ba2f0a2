#include "kernels.h"
int fathom_kernels_version(void) { return 1; }
