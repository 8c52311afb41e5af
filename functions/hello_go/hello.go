// A WASI command in Go: for a request it is a CGI program, through /api it only prints.
package main

import "os"

func main() {
	if os.Getenv("REQUEST_METHOD") != "" {
		os.Stdout.WriteString("Content-Type: text/plain\n\n")
	}
	os.Stdout.WriteString("Hello from Go\n")
}
