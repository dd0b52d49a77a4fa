package main

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"strings"

	"github.com/xdg-go/scram"
	"go.mongodb.org/mongo-driver/bson"
)

// A login by SCRAM (RFC 5802, RFC 7677) for one user, in MongoDB's commands: saslStart, saslContinue.
type login struct {
	username     string
	passwordFile string
}

// A dialogue is the login of one connection; done at once where no user is named.
type dialogue struct {
	login
	conversation *scram.ServerConversation
	done         bool
}

func (l login) dialogue() *dialogue {
	return &dialogue{login: l, done: l.username == ""}
}

// answer gives the reply to a command of the login, and nil for any other.
func (d *dialogue) answer(request *message) bson.D {
	switch request.command() {
	case "saslStart":
		mechanism, _ := request.body.Lookup("mechanism").StringValueOK()
		d.begin(mechanism)
	case "saslContinue":
	default:
		return nil
	}
	if d.conversation == nil {
		return failure(18, "AuthenticationFailed", "Authentication failed.")
	}
	_, payload, _ := request.body.Lookup("payload").BinaryOK()
	text := ""
	if !d.conversation.Done() {
		var err error
		if text, err = d.conversation.Step(string(payload)); err != nil {
			return failure(18, "AuthenticationFailed", "Authentication failed.")
		}
	}
	d.done = d.done || d.conversation.Valid()
	return bson.D{
		{Key: "conversationId", Value: int32(1)},
		{Key: "done", Value: d.conversation.Done()},
		{Key: "payload", Value: []byte(text)},
		{Key: "ok", Value: 1.0},
	}
}

func (d *dialogue) begin(mechanism string) {
	d.conversation = nil
	content, err := os.ReadFile(d.passwordFile)
	if err != nil {
		return
	}
	password := strings.TrimSpace(string(content))
	hash := scram.SHA256
	switch mechanism {
	case "SCRAM-SHA-256":
	case "SCRAM-SHA-1":
		hash = scram.SHA1
		digest := md5.Sum([]byte(d.username + ":mongo:" + password))
		password = hex.EncodeToString(digest[:])
	default:
		return
	}
	client, err := hash.NewClientUnprepped(d.username, password, "")
	if err != nil {
		return
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	stored := client.GetStoredCredentials(scram.KeyFactors{Salt: string(salt), Iters: 4096})
	server, err := hash.NewServer(func(name string) (scram.StoredCredentials, error) {
		if name != d.username {
			return scram.StoredCredentials{}, errors.New("no such user")
		}
		return stored, nil
	})
	if err == nil {
		d.conversation = server.NewConversation()
	}
}
