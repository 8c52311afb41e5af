#include "host/nurhost.h"

int main(int argc, char** argv) { return nur::nurhost(argc, argv, nur::standard_host_modules()); }
