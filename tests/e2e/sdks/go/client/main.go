// A client of the Go SDK: `client MODE URL...` prints what it saw at each; TOKEN is its token.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type authorized struct{ token string }

func (with authorized) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+with.token)
	return http.DefaultTransport.RoundTrip(request)
}

// must stops the program where something fails that has to work.
func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func introduce(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
	return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": "Ada"}}, nil
}

func textOf(result *mcp.CallToolResult) string { return result.Content[0].(*mcp.TextContent).Text }

type progress struct {
	sync.Mutex
	seen []float64
}

func (p *progress) note(_ context.Context, update *mcp.ProgressNotificationClientRequest) {
	p.Lock()
	defer p.Unlock()
	p.seen = append(p.seen, update.Params.Progress)
}

func look(ctx context.Context, url string, version string) map[string]any {
	updates := &progress{}
	client := mcp.NewClient(&mcp.Implementation{Name: "go", Version: "1.0.0"}, &mcp.ClientOptions{
		ElicitationHandler: introduce, ProgressNotificationHandler: updates.note,
	})
	transport := &mcp.StreamableClientTransport{
		Endpoint: url, HTTPClient: &http.Client{Transport: authorized{os.Getenv("TOKEN")}},
	}
	session := must(client.Connect(ctx, transport, &mcp.ClientSessionOptions{ProtocolVersion: version}))

	none := map[string]int64{}
	call := func(name string, arguments map[string]int64) (*mcp.CallToolResult, error) {
		return session.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: arguments})
	}
	textFrom := func(name string, arguments map[string]int64) string {
		result, err := call(name, arguments)
		if err != nil {
			return err.Error()
		}
		return textOf(result)
	}
	ticks := &mcp.CallToolParams{Name: "ticks", Arguments: map[string]int{"count": 3}}
	ticks.SetProgressToken("ticks")

	saw := map[string]any{
		"version":     session.InitializeResult().ProtocolVersion,
		"sum":         textFrom("add", map[string]int64{"a": 2, "b": 3}),
		"large":       textFrom("add", map[string]int64{"a": 9007199254740993, "b": 2}),
		"ticks":       textOf(must(session.CallTool(ctx, ticks))),
		"failed":      must(call("fail", none)).IsError,
		"refused":     textFrom("secret_note", none),
		"asked":       textFrom("ask", none),
		"interrupted": textFrom("interrupted", none),
	}
	saw["sum_after"] = textFrom("add", map[string]int64{"a": 1, "b": 1})
	tools := []string{}
	for tool, err := range session.Tools(ctx, nil) {
		tools = append(tools, must(tool, err).Name)
	}
	prompts := []string{}
	for prompt, err := range session.Prompts(ctx, nil) {
		prompts = append(prompts, must(prompt, err).Name)
	}
	resources := []string{}
	for resource, err := range session.Resources(ctx, nil) {
		resources = append(resources, must(resource, err).URI)
	}
	saw["tools"], saw["prompts"], saw["resources"] = tools, prompts, resources
	greeting := must(session.GetPrompt(ctx, &mcp.GetPromptParams{
		Name: "greeting", Arguments: map[string]string{"name": "Ada"},
	}))
	saw["prompt"] = greeting.Messages[0].Content.(*mcp.TextContent).Text
	note := must(session.ReadResource(ctx, &mcp.ReadResourceParams{URI: "note://today"}))
	saw["resource"] = note.Contents[0].Text
	if err := session.Close(); err != nil {
		log.Fatal(err)
	}
	updates.Lock()
	defer updates.Unlock()
	saw["progress"] = updates.seen
	return saw
}

func main() {
	version := map[string]string{"auto": "2026-07-28", "legacy": "2025-11-25"}[os.Args[1]]
	for _, url := range os.Args[2:] {
		if err := json.NewEncoder(os.Stdout).Encode(look(context.Background(), url, version)); err != nil {
			log.Fatal(err)
		}
	}
}
