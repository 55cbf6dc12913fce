// Command sign vouches for the files of a release.
//
//	sign sums DIR             write DIR/SHA256SUMS over all files in it
//	sign sign KEY DIR         write DIR/SHA256SUMS.sig by the private key KEY
//	sign verify PUBLIC DIR    check the signature, then every file
//	sign public KEY           print the public key that belongs to KEY
//
// KEY is a PEM file as openssl genpkey -algorithm ed25519 writes it; PUBLIC is
// what sign public prints.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sign:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	word := ""
	if len(args) > 0 {
		word = args[0]
	}
	switch {
	case word == "sums" && len(args) == 2:
		return writeSums(args[1])
	case word == "sign" && len(args) == 3:
		return signSums(args[1], args[2])
	case word == "verify" && len(args) == 3:
		return verify(args[1], args[2])
	case word == "public" && len(args) == 2:
		return printPublic(os.Stdout, args[1])
	}
	return fmt.Errorf("%q: write sums DIR, sign KEY DIR, verify PUBLIC DIR or public KEY", args)
}
