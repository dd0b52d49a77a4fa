package main

import (
	"context"
	"encoding/binary"
	"flag"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/FerretDB/FerretDB/ferretdb"
)

var one sync.Mutex

func read(c net.Conn) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(head[:])
	b := make([]byte, n)
	copy(b, head[:])
	_, err := io.ReadFull(c, b[4:])
	return b, err
}

func serve(c net.Conn, sock string) {
	defer c.Close()
	s, err := net.Dial("unix", sock)
	if err != nil {
		return
	}
	defer s.Close()
	for {
		m, err := read(c)
		if err != nil {
			return
		}
		r, err := func() ([]byte, error) {
			one.Lock()
			defer one.Unlock()
			if _, err := s.Write(m); err != nil {
				return nil, err
			}
			return read(s)
		}()
		if err != nil {
			return
		}
		if _, err := c.Write(r); err != nil {
			return
		}
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "loopback address and port")
	state := flag.String("state", "", "folder of the data")
	flag.Parse()
	sock := filepath.Join(*state, "s.sock")
	os.Remove(sock)
	f, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: sock},
		Handler:   "sqlite",
		SQLiteURL: "file:" + *state + "/",
	})
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go serve(c, sock)
		}
	}()
	log.Fatal(f.Run(context.Background()))
}
