// Filled by those who need it.
