// Command called reads govulncheck's JSON and prints the ids of vulnerabilities
// whose code ours calls: findings whose trace names a function.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

func main() {
	var ids []string
	for d := json.NewDecoder(os.Stdin); ; {
		var m struct {
			Finding *struct {
				OSV   string `json:"osv"`
				Trace []struct {
					Function string `json:"function"`
				} `json:"trace"`
			} `json:"finding"`
		}
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			fmt.Fprintln(os.Stderr, "read govulncheck's output:", err)
			os.Exit(1)
		}
		if f := m.Finding; f != nil && len(f.Trace) > 0 && f.Trace[0].Function != "" && !slices.Contains(ids, f.OSV) {
			ids = append(ids, f.OSV)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		fmt.Println(id)
	}
}
