// A MongoDB server for tests: FerretDB with its SQLite backend, behind a proxy that makes it as strict as MongoDB.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"log"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/FerretDB/FerretDB/ferretdb"
)

const socket = "socket"

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "loopback address and port")
	state := flag.String("state", "", "folder of the data, which outlives the process")
	record := flag.String("record", "", "file that gets one JSON line for each shape of command that Gatepost sends")
	username := flag.String("username", "", "with it, clients must log in by SCRAM")
	password := flag.String("password-file", "", "file of that user's password, read at each login")
	deny := flag.String("deny", "", "commands that the user may not use, by commas")
	certificate := flag.String("tls-certificate", "", "PEM chain; with it the server speaks TLS")
	key := flag.String("tls-key", "", "PEM key")
	clientCA := flag.String("tls-client-ca", "", "PEM chain; with it a client needs a certificate of that CA")
	flag.Parse()

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	if *certificate != "" {
		listener = tls.NewListener(listener, tlsConfig(*certificate, *key, *clientCA))
	}
	denied := map[string]bool{}
	for _, command := range strings.Split(*deny, ",") {
		denied[command] = true
	}
	passwordFile, err := filepath.Abs(*password)
	if err != nil {
		log.Fatal(err)
	}
	proxy := &proxy{
		login:    login{username: *username, passwordFile: passwordFile},
		denied:   denied,
		recorder: newRecorder(*record),
	}
	if err = os.Chdir(*state); err != nil { // the path of a socket may have some 100 bytes, the folder's any
		log.Fatal(err)
	}
	_ = os.Remove(socket)
	database, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: socket},
		Handler:   "sqlite",
		SQLiteURL: "file:./",
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		log.Fatal(err)
	}
	go proxy.serve(listener)
	log.Fatal(database.Run(context.Background()))
}

func tlsConfig(certificate, key, clientCA string) *tls.Config {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if clientCA == "" {
		return config
	}
	content, err := os.ReadFile(clientCA)
	if err != nil {
		log.Fatal(err)
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !config.ClientCAs.AppendCertsFromPEM(content) {
		log.Fatalf("%s holds no certificate", clientCA)
	}
	return config
}
