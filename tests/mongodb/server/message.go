package main

import (
	"encoding/binary"
	"errors"
	"io"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
	"go.mongodb.org/mongo-driver/x/mongo/driver/wiremessage"
)

const (
	headSize = 16
	largest  = 48 * 1024 * 1024
)

var errUnsound = errors.New("a message that is not sound")

// A message of MongoDB's wire protocol: OP_MSG, or OP_QUERY for a driver's first hello.
type message struct {
	raw        []byte
	id         int32
	moreToCome bool
	body       bson.Raw
	sequences  map[string][]bson.Raw
}

func readRaw(from io.Reader) ([]byte, error) {
	head := make([]byte, headSize)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	length := int32(binary.LittleEndian.Uint32(head))
	if length < headSize || length > largest {
		return nil, errUnsound
	}
	raw := make([]byte, length)
	copy(raw, head)
	_, err := io.ReadFull(from, raw[headSize:])
	return raw, err
}

func readMessage(from io.Reader) (*message, error) {
	raw, err := readRaw(from)
	if err != nil {
		return nil, err
	}
	_, id, _, code, rest, ok := wiremessage.ReadHeader(raw)
	m := &message{raw: raw, id: id, sequences: map[string][]bson.Raw{}}
	switch {
	case ok && code == wiremessage.OpMsg:
		ok = m.sections(rest)
	case ok && code == wiremessage.OpQuery:
		ok = m.query(rest)
	}
	if !ok || m.body.Validate() != nil {
		return nil, errUnsound
	}
	return m, nil
}

func (m *message) sections(rest []byte) bool {
	flags, rest, ok := wiremessage.ReadMsgFlags(rest)
	m.moreToCome = flags&wiremessage.MoreToCome != 0
	if flags&wiremessage.ChecksumPresent != 0 && len(rest) >= 4 {
		rest = rest[:len(rest)-4]
	}
	for ok && len(rest) > 0 {
		var kind wiremessage.SectionType
		kind, rest, ok = wiremessage.ReadMsgSectionType(rest)
		switch kind {
		case wiremessage.SingleDocument:
			var body bsoncore.Document
			body, rest, ok = wiremessage.ReadMsgSectionSingleDocument(rest)
			m.body = bson.Raw(body)
		case wiremessage.DocumentSequence:
			var name string
			var documents []bsoncore.Document
			name, documents, rest, ok = wiremessage.ReadMsgSectionDocumentSequence(rest)
			for _, document := range documents {
				m.sequences[name] = append(m.sequences[name], bson.Raw(document))
			}
		default:
			return false
		}
	}
	return ok
}

func (m *message) query(rest []byte) bool {
	_, rest, ok := wiremessage.ReadQueryFlags(rest)
	if ok {
		_, rest, ok = wiremessage.ReadQueryFullCollectionName(rest)
	}
	if !ok || len(rest) < 8 {
		return false
	}
	body, _, ok := wiremessage.ReadQueryQuery(rest[8:])
	m.body = bson.Raw(body)
	return ok
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
	start, raw := wiremessage.AppendHeaderStart(nil, 0, to.id, wiremessage.OpMsg)
	raw = wiremessage.AppendMsgFlags(raw, 0)
	raw = wiremessage.AppendMsgSectionType(raw, wiremessage.SingleDocument)
	return bsoncore.UpdateLength(append(raw, body...), start, int32(len(raw)+len(body)))
}

func failure(code int32, name, text string) bson.D {
	return bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: text}, {Key: "code", Value: code}, {Key: "codeName", Value: name}}
}
