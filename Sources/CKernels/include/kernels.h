int fathom_kernels_version(void);
