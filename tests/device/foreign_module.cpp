// A library without the module's entry.
extern "C" int something_else() { return 0; }
