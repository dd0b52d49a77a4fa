// A server of the Go SDK: without sessions and of both eras, or, with `sessions`, of the legacy era.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type nothing struct{}

type numbers struct {
	A int64 `json:"a"`
	B int64 `json:"b"`
}

type times struct {
	Count int `json:"count"`
}

func text(value any) (*mcp.CallToolResult, any, error) {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: fmt.Sprint(value)}}}, nil, nil
}

func add(_ context.Context, _ *mcp.CallToolRequest, in numbers) (*mcp.CallToolResult, any, error) {
	return text(in.A + in.B)
}

func secretNote(context.Context, *mcp.CallToolRequest, nothing) (*mcp.CallToolResult, any, error) {
	return text("the note")
}

func fail(context.Context, *mcp.CallToolRequest, nothing) (*mcp.CallToolResult, any, error) {
	return nil, nil, errors.New("deliberate failure")
}

func ticks(ctx context.Context, call *mcp.CallToolRequest, in times) (*mcp.CallToolResult, any, error) {
	token := call.Params.GetProgressToken()
	for number := 1; token != nil && number <= in.Count; number++ {
		progress := &mcp.ProgressNotificationParams{
			ProgressToken: token, Progress: float64(number), Total: float64(in.Count),
		}
		if err := call.Session.NotifyProgress(ctx, progress); err != nil {
			return nil, nil, err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return text("done")
}

// Ends its stream before its answer, which the client has to come back for.
func interrupted(_ context.Context, call *mcp.CallToolRequest, _ nothing) (*mcp.CallToolResult, any, error) {
	if call.Session.ID() != "" && call.Extra.CloseSSEStream != nil {
		call.Extra.CloseSSEStream(mcp.CloseSSEStreamArgs{RetryAfter: 10 * time.Millisecond})
	}
	time.Sleep(10 * time.Millisecond)
	return text("done")
}

func ask(_ context.Context, call *mcp.CallToolRequest, _ nothing) (*mcp.CallToolResult, any, error) {
	if answer, ok := call.Params.InputResponses["who"].(*mcp.ElicitResult); ok {
		return text(fmt.Sprint("hello ", answer.Content["name"]))
	}
	who := &mcp.ElicitParams{
		Message: "Who are you?",
		RequestedSchema: json.RawMessage(
			`{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}`),
	}
	return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"who": who}}, nil, nil
}

func greeting(_ context.Context, asked *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	content := &mcp.TextContent{Text: fmt.Sprintf("Say hello to %s.", asked.Params.Arguments["name"])}
	return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{{Role: "user", Content: content}}}, nil
}

func today(_ context.Context, asked *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	note := &mcp.ResourceContents{URI: asked.Params.URI, Text: "nothing special"}
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{note}}, nil
}

func newServer() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "go", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "add"}, add)
	mcp.AddTool(server, &mcp.Tool{Name: "secret_note"}, secretNote)
	mcp.AddTool(server, &mcp.Tool{Name: "fail"}, fail)
	mcp.AddTool(server, &mcp.Tool{Name: "ticks"}, ticks)
	mcp.AddTool(server, &mcp.Tool{Name: "interrupted"}, interrupted)
	mcp.AddTool(server, &mcp.Tool{Name: "ask"}, ask)
	server.AddPrompt(&mcp.Prompt{
		Name: "greeting", Arguments: []*mcp.PromptArgument{{Name: "name", Required: true}},
	}, greeting)
	server.AddResource(&mcp.Resource{Name: "today", URI: "note://today"}, today)
	return server
}

func main() {
	options := &mcp.StreamableHTTPOptions{Stateless: true}
	if len(os.Args) > 1 && os.Args[1] == "sessions" {
		options = &mcp.StreamableHTTPOptions{EventStore: mcp.NewMemoryEventStore(nil)}
	}
	server := newServer()
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, options)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s/mcp\n", listener.Addr())
	log.Fatal(http.Serve(listener, handler))
}
