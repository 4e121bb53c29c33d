// Command conformance checks artefacts of the ledger with code that nobody of the ledger wrote.
//
//	conformance checkpoint VKEY_FILE CHECKPOINT_FILE   the signed note, by golang.org/x/mod/sumdb/note
//	conformance receipt VKEY_FILE PROOF_FILE           the .tlog-proof, by transparency-dev formats and merkle
//	conformance versions                               what it was built from
//
// It exits 0 and prints what it found when the file is valid, 1 and the reason when it is not, 2 on wrong usage.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

func main() {
	found, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Println(found)
}

func run(args []string) (string, error) {
	switch {
	case len(args) == 1 && args[0] == "versions":
		return versions()
	case len(args) == 3 && args[0] == "checkpoint":
		return onFiles(args[1], args[2], openCheckpoint)
	case len(args) == 3 && args[0] == "receipt":
		return onFiles(args[1], args[2], checkReceipt)
	}
	fmt.Fprintln(os.Stderr, "usage: conformance checkpoint|receipt VKEY_FILE FILE, or conformance versions")
	os.Exit(2)
	return "", nil
}

// onFiles reads the verifier key (one line) and the artefact, and hands both to check.
func onFiles(vkeyFile, file string, check func(vkey string, artefact []byte) (string, error)) (string, error) {
	vkey, err := os.ReadFile(vkeyFile)
	if err != nil {
		return "", err
	}
	artefact, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return check(strings.TrimSpace(string(vkey)), artefact)
}

// versions names the Go release and the modules that decide, as recorded in this very binary.
func versions() (string, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", fmt.Errorf("this binary was built without module information")
	}
	lines := []string{runtime.Version()}
	for _, module := range info.Deps {
		if module.Path == "golang.org/x/mod" || strings.HasPrefix(module.Path, "github.com/transparency-dev/") {
			lines = append(lines, module.Path+" "+module.Version)
		}
	}
	return strings.Join(lines, "\n"), nil
}
