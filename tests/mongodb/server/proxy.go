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
	socket   string
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
	server, err := net.DialTimeout("unix", p.socket, 5*time.Second)
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

func (p *proxy) forward(server net.Conn, request *message) ([]byte, error) {
	p.turn.Lock()
	defer p.turn.Unlock()
	if _, err := server.Write(request.raw); err != nil || request.moreToCome {
		return nil, err
	}
	answer, err := readMessage(server)
	if err != nil {
		return nil, err
	}
	return answer.raw, nil
}
