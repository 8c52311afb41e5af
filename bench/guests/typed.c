// A number for a number.
__attribute__((export_name("typed"))) int typed(int number) { return number + 1; }
