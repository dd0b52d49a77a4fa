package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"go.mongodb.org/mongo-driver/bson"
)

const (
	opQuery = 2004
	opMsg   = 2013
	largest = 48 * 1024 * 1024
)

// A message of MongoDB's wire protocol: OP_MSG, or OP_QUERY for a driver's first hello.
type message struct {
	raw        []byte
	id         int32
	moreToCome bool
	body       bson.Raw
	sequences  map[string][]bson.Raw
}

func readMessage(from io.Reader) (*message, error) {
	head := make([]byte, 16)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	length := int32At(head)
	if length < 16 || length > largest {
		return nil, errors.New("a message of no sound length")
	}
	raw := make([]byte, length)
	copy(raw, head)
	if _, err := io.ReadFull(from, raw[16:]); err != nil {
		return nil, err
	}
	m := &message{raw: raw, id: int32At(raw[4:]), sequences: map[string][]bson.Raw{}}
	switch int32At(raw[12:]) {
	case opMsg:
		flags := binary.LittleEndian.Uint32(raw[16:])
		m.moreToCome = flags&2 != 0
		end := len(raw)
		if flags&1 != 0 {
			end -= 4
		}
		m.sections(raw[20:end])
	case opQuery:
		name := bytes.IndexByte(raw[20:], 0)
		m.body = bson.Raw(raw[20+name+1+8:])
	}
	return m, nil
}

func (m *message) sections(rest []byte) {
	for len(rest) > 4 {
		kind := rest[0]
		size := int(int32At(rest[1:]))
		section := rest[1 : 1+size]
		rest = rest[1+size:]
		if kind == 0 {
			m.body = bson.Raw(section)
			continue
		}
		end := bytes.IndexByte(section[4:], 0)
		name := string(section[4 : 4+end])
		for documents := section[4+end+1:]; len(documents) > 4; {
			length := int32At(documents)
			m.sequences[name] = append(m.sequences[name], bson.Raw(documents[:length]))
			documents = documents[length:]
		}
	}
}

func (m *message) command() string {
	if element, err := m.body.IndexErr(0); err == nil {
		return element.Key()
	}
	return ""
}

// from says whether this is the first hello of an application with that name.
func (m *message) from(application string) bool {
	name, ok := m.body.Lookup("client", "application", "name").StringValueOK()
	return ok && name == application
}

func reply(to *message, document bson.D) []byte {
	body, err := bson.Marshal(document)
	if err != nil {
		panic(err)
	}
	raw := make([]byte, 21, 21+len(body))
	binary.LittleEndian.PutUint32(raw, uint32(21+len(body)))
	binary.LittleEndian.PutUint32(raw[8:], uint32(to.id))
	binary.LittleEndian.PutUint32(raw[12:], opMsg)
	return append(raw, body...)
}

func failure(code int32, name, text string) bson.D {
	return bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: text}, {Key: "code", Value: code}, {Key: "codeName", Value: name}}
}

func int32At(raw []byte) int32 {
	return int32(binary.LittleEndian.Uint32(raw))
}
