// A MongoDB server for tests: FerretDB with its SQLite backend, behind a proxy that makes it as strict as MongoDB.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"log"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "loopback address and port")
	state := flag.String("state", "", "folder of the data, which outlives the process")
	record := flag.String("record", "", "file that gets one JSON line for each shape of command that Gatepost sends")
	username := flag.String("username", "", "with it, clients must log in by SCRAM")
	password := flag.String("password-file", "", "file of that user's password, read at each login")
	deny := flag.String("deny", "", "commands that the user may not use, by commas")
	certificate := flag.String("tls-certificate", "", "PEM chain; with it the server speaks TLS")
	key := flag.String("tls-key", "", "PEM key")
	flag.Parse()

	socket := filepath.Join(*state, "socket")
	_ = os.Remove(socket)
	database, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: socket},
		Handler:   "sqlite",
		SQLiteURL: "file:" + *state + "/",
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	if *certificate != "" {
		pair, err := tls.LoadX509KeyPair(*certificate, *key)
		if err != nil {
			log.Fatal(err)
		}
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}})
	}
	denied := map[string]bool{}
	for _, command := range strings.Split(*deny, ",") {
		denied[command] = true
	}
	proxy := &proxy{
		socket:   socket,
		login:    login{username: *username, passwordFile: *password},
		denied:   denied,
		recorder: newRecorder(*record),
	}
	go proxy.serve(listener)
	log.Fatal(database.Run(context.Background()))
}
