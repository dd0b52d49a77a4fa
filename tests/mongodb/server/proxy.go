package main

import (
	"log"
	"net"
	"sync"
	"time"
)

// A proxy hands on one command at a time: FerretDB's updates, upserts and findAndModify are each several steps
// of its own, MongoDB's are one.
type proxy struct {
	login    login
	denied   map[string]bool
	recorder *recorder
	turn     sync.Mutex
}

var withoutLogin = map[string]bool{
	"hello": true, "isMaster": true, "ismaster": true, "ping": true, "buildInfo": true, "endSessions": true,
}

func (p *proxy) serve(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go p.relay(client)
	}
}

func (p *proxy) relay(client net.Conn) {
	defer client.Close()
	server, err := net.DialTimeout("unix", socket, 5*time.Second)
	if err != nil {
		return
	}
	defer server.Close()
	dialogue := p.login.dialogue()
	ours := false
	for {
		request, err := readMessage(client)
		if err != nil {
			return
		}
		if ours = ours || request.from("gatepost"); ours {
			p.recorder.see(request)
		}
		answer := dialogue.answer(request)
		name := request.command()
		switch {
		case answer != nil:
		case !dialogue.done && !withoutLogin[name]:
			answer = failure(13, "Unauthorized", "command "+name+" requires authentication")
		case p.denied[name]:
			answer = failure(13, "Unauthorized", "not authorized to execute command "+name)
		}
		if answer != nil {
			if request.moreToCome {
				continue
			}
			if _, err = client.Write(reply(request, answer)); err != nil {
				return
			}
			continue
		}
		raw, err := p.forward(server, request)
		if err != nil {
			return
		}
		if _, err = client.Write(raw); err != nil {
			return
		}
	}
}

// forward gives FerretDB's reply, and none to a command that wants none: FerretDB writes one nevertheless.
func (p *proxy) forward(server net.Conn, request *message) ([]byte, error) {
	p.turn.Lock()
	defer p.turn.Unlock()
	if _, err := server.Write(request.raw); err != nil {
		return nil, err
	}
	raw, err := readRaw(server)
	if request.moreToCome {
		raw = nil
	}
	return raw, err
}
