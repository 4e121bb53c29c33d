package main

import (
	"errors"
	"fmt"

	"github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	fproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
)

// checkReceipt verifies a .tlog-proof whose extra data is the entry: the checkpoint under vkey, and that the entry's
// leaf hash is in the tree at the named index. Two libraries must agree on the path.
func checkReceipt(vkey string, receipt []byte) (string, error) {
	var p fproof.TLogProof
	if err := p.Unmarshal(receipt); err != nil {
		return "", err
	}
	if len(p.ExtraData) == 0 {
		return "", errors.New("the receipt carries no entry in its extra line")
	}
	verifier, err := fnote.NewVerifier(vkey)
	if err != nil {
		return "", err
	}
	checkpoint, _, _, err := log.ParseCheckpoint(p.Checkpoint, verifier.Name(), verifier)
	if err != nil {
		return "", err
	}
	path := make([][]byte, len(p.Hashes))
	record := make(tlog.RecordProof, len(p.Hashes))
	for i, hash := range p.Hashes {
		path[i] = hash[:]
		record[i] = tlog.Hash(hash)
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(p.ExtraData)
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, p.Index, checkpoint.Size, leaf, path, checkpoint.Hash); err != nil {
		return "", fmt.Errorf("transparency-dev/merkle: %w", err)
	}
	if len(checkpoint.Hash) != tlog.HashSize {
		return "", fmt.Errorf("the root has %d bytes, not %d", len(checkpoint.Hash), tlog.HashSize)
	}
	root := tlog.Hash(checkpoint.Hash)
	if err := tlog.CheckRecord(record, int64(checkpoint.Size), root, int64(p.Index), tlog.RecordHash(p.ExtraData)); err != nil {
		return "", fmt.Errorf("x/mod/sumdb/tlog: %w", err)
	}
	return fmt.Sprintf("entry of %d bytes at index %d under size %d", len(p.ExtraData), p.Index, checkpoint.Size), nil
}
