// Reads tar archives from standard input, each after its length in four bytes, and writes a line of JSON for each:
// the entries as Go's archive/tar has them, or null where it, or Docker Engine after it, refuses the archive.
package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
)

type entry struct {
	Name, Link, Data []byte
	Kind             byte
	Mode             int64
	Uid, Gid         int
	Size             int64
}

func read(archive []byte) []entry {
	entries := []entry{}
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return entries
		}
		if err != nil {
			return nil
		}
		one := entry{Name: []byte(header.Name), Kind: header.Typeflag, Mode: header.Mode & 07777, Uid: header.Uid, Gid: header.Gid}
		switch header.Typeflag {
		case tar.TypeXGlobalHeader:
			continue // which Docker Engine passes over
		case tar.TypeReg:
			one.Size = header.Size
			if one.Data, err = io.ReadAll(io.LimitReader(reader, 1<<22)); err != nil {
				return nil
			}
		case tar.TypeLink, tar.TypeSymlink:
			one.Link = []byte(header.Linkname)
		case tar.TypeChar, tar.TypeBlock, tar.TypeDir, tar.TypeFifo:
		default:
			return nil // Docker Engine: "unhandled tar header type"
		}
		entries = append(entries, one)
	}
}

func main() {
	input, output := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	var size [4]byte
	for {
		if _, err := io.ReadFull(input, size[:]); err != nil {
			return
		}
		archive := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(input, archive); err != nil {
			return
		}
		line, _ := json.Marshal(read(archive))
		output.Write(append(line, '\n'))
		output.Flush()
	}
}
