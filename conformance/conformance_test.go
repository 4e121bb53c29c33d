package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The reference vectors, of which a checkpoint and a receipt are read.
const golden = "../../shared/data/golden"

type ledger struct {
	Vkey       string `json:"vkey"`
	Checkpoint string `json:"checkpoint"`
}

func TestCheckpointOfTheReferenceLogOpens(t *testing.T) {
	l := read[ledger](t, "spine.json")
	found, err := openCheckpoint(l.Vkey, []byte(l.Checkpoint))
	if err != nil || !strings.HasPrefix(found, "origin ledger.example/reference size 167 root ") {
		t.Fatalf("got %q, %v", found, err)
	}
}

func TestCheckpointIsRefusedAfterAChange(t *testing.T) {
	l := read[ledger](t, "spine.json")
	for name, changed := range map[string]string{
		"size":         strings.Replace(l.Checkpoint, "\n167\n", "\n166\n", 1),
		"origin":       strings.Replace(l.Checkpoint, "ledger.example/reference\n", "ledger.example/other\n", 1),
		"no signature": strings.SplitAfter(l.Checkpoint, "\n\n")[0],
	} {
		if found, err := openCheckpoint(l.Vkey, []byte(changed)); err == nil {
			t.Errorf("%s: accepted as %q", name, found)
		}
	}
}

func TestReceiptOfTheReferenceLogVerifies(t *testing.T) {
	vkey, receipt := referenceReceipt(t)
	found, err := checkReceipt(vkey, []byte(receipt))
	if err != nil || !strings.HasSuffix(found, "at index 13 under size 55") {
		t.Fatalf("got %q, %v", found, err)
	}
}

func TestReceiptIsRefusedAfterAChange(t *testing.T) {
	vkey, receipt := referenceReceipt(t)
	lines := strings.Split(receipt, "\n")
	for name, changed := range map[string][2]string{
		"index":       {lines[2], "index 12"},
		"entry":       {lines[1], "extra " + flipped(t, strings.TrimPrefix(lines[1], "extra "))},
		"path":        {lines[3], flipped(t, lines[3])},
		"path length": {lines[3] + "\n", ""},
		"no entry":    {lines[1] + "\n", ""},
		"size":        {"\n55\n", "\n54\n"},
	} {
		twin := strings.Replace(receipt, changed[0], changed[1], 1)
		if twin == receipt {
			t.Fatalf("%s: the receipt was not changed", name)
		}
		if found, err := checkReceipt(vkey, []byte(twin)); err == nil {
			t.Errorf("%s: accepted as %q", name, found)
		}
	}
}

func referenceReceipt(t *testing.T) (vkey, receipt string) {
	t.Helper()
	receipts := read[struct {
		Event struct {
			TlogProof string `json:"tlog_proof"`
		} `json:"event"`
	}](t, "receipts.json")
	return read[ledger](t, "small-ledger.json").Vkey, receipts.Event.TlogProof
}

// flipped is the base64 of the same bytes with the lowest bit of the last one changed.
func flipped(t *testing.T, encoded string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	return base64.StdEncoding.EncodeToString(raw)
}

func read[T any](t *testing.T, name string) T {
	t.Helper()
	var value T
	text, err := os.ReadFile(filepath.Join(golden, name))
	if os.IsNotExist(err) && os.Getenv("CI") == "" {
		t.Skipf("skipped: %s is not there", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	return value
}
