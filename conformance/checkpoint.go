package main

import (
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// openCheckpoint verifies the signed note under vkey and returns its origin, size and root in one line.
func openCheckpoint(vkey string, checkpoint []byte) (string, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", err
	}
	opened, err := note.Open(checkpoint, note.VerifierList(verifier))
	if err != nil {
		return "", err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return "", fmt.Errorf("the checkpoint's text has %d lines, not the three without extensions", len(lines)-1)
	}
	if lines[0] != verifier.Name() {
		return "", fmt.Errorf("origin %q is not the key's name %q", lines[0], verifier.Name())
	}
	return fmt.Sprintf("origin %s size %s root %s", lines[0], lines[1], lines[2]), nil
}
