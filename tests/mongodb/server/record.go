package main

import (
	"encoding/json"
	"log"
	"os"
	"sort"
	"strings"
	"sync"

	"go.mongodb.org/mongo-driver/bson"
)

// A recorder writes each shape of command once: its name and what it makes use of, never a value.
type recorder struct {
	mutex sync.Mutex
	seen  map[string]bool
	file  *os.File
}

type shape struct {
	Command  string   `json:"command"`
	Features []string `json:"features"`
}

var statements = map[string]string{
	"filter": "filter", "q": "filter", "query": "filter", "u": "update", "update": "update",
	"sort": "sort", "projection": "projection", "fields": "projection", "pipeline": "pipeline",
}

func newRecorder(path string) *recorder {
	r := &recorder{seen: map[string]bool{}}
	if path != "" {
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			log.Fatal(err)
		}
		r.file = file
	}
	return r
}

func (r *recorder) see(request *message) {
	if r.file == nil || len(request.body) == 0 {
		return
	}
	features := map[string]bool{}
	name := request.command()
	elements, _ := request.body.Elements()
	for _, element := range elements[1:] {
		look(features, element.Key(), element.Value())
	}
	for section, documents := range request.sequences {
		features[section] = true
		for _, document := range documents {
			statement(features, section, document)
		}
	}
	found := shape{Command: name, Features: []string{}}
	for feature := range features {
		found.Features = append(found.Features, feature)
	}
	sort.Strings(found.Features)
	line, _ := json.Marshal(found)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if !r.seen[string(line)] {
		r.seen[string(line)] = true
		_, _ = r.file.Write(append(line, '\n'))
	}
}

func look(features map[string]bool, key string, value bson.RawValue) {
	features[key] = true
	switch key {
	case "updates", "deletes", "indexes", "documents":
		items, _ := value.Array().Values()
		for _, item := range items {
			statement(features, key, item.Document())
		}
	case "readConcern", "writeConcern":
		inner, _ := value.Document().Elements()
		for _, element := range inner {
			features[key+"."+element.Key()+"="+strings.Trim(element.Value().String(), `"`)] = true
		}
		delete(features, key)
	default:
		if place, known := statements[key]; known {
			operators(features, place, value)
		}
	}
}

func statement(features map[string]bool, section string, document bson.Raw) {
	if section == "documents" {
		return
	}
	elements, _ := document.Elements()
	for _, element := range elements {
		switch place, known := statements[element.Key()]; {
		case known:
			operators(features, place, element.Value())
		case section == "indexes" && element.Key() == "key":
			keys, _ := element.Value().Document().Elements()
			features["indexes.key"] = true
			if len(keys) > 1 {
				features["indexes.key.compound"] = true
			}
		default:
			features[section+"."+element.Key()] = true
		}
	}
}

func operators(features map[string]bool, place string, value bson.RawValue) {
	var elements []bson.RawElement
	switch value.Type {
	case bson.TypeEmbeddedDocument:
		elements, _ = value.Document().Elements()
	case bson.TypeArray:
		items, _ := value.Array().Values()
		for _, item := range items {
			operators(features, place, item)
		}
	}
	for _, element := range elements {
		if strings.HasPrefix(element.Key(), "$") {
			features[place+"."+element.Key()] = true
		}
		if place != "update" || strings.HasPrefix(element.Key(), "$$") {
			operators(features, place, element.Value())
		}
	}
}
