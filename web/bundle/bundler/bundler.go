// Package bundler turns the TypeScript of web into single files with esbuild.
// The same sources give the same bytes on every machine.
package bundler

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Browser returns page.js and sw.js, made of dir/src.
func Browser(dir string) (map[string][]byte, error) {
	options := base(dir)
	options.EntryPointsAdvanced = []api.EntryPoint{
		{InputPath: filepath.Join(options.AbsWorkingDir, "src/page/main.ts"), OutputPath: "page"},
		{InputPath: filepath.Join(options.AbsWorkingDir, "src/sw/main.ts"), OutputPath: "sw"},
	}
	options.Format = api.FormatIIFE
	options.Platform = api.PlatformBrowser
	options.MinifyWhitespace, options.MinifyIdentifiers, options.MinifySyntax = true, true, true
	return build(options)
}

// Tests returns one module for each dir/test/NAME.test.ts, for Node 20.
func Tests(dir string) (map[string][]byte, error) {
	options := base(dir)
	found, err := filepath.Glob(filepath.Join(options.AbsWorkingDir, "test", "*.test.ts"))
	if err != nil {
		return nil, fmt.Errorf("list tests: %w", err)
	}
	options.EntryPoints = found
	options.Format = api.FormatESModule
	options.Platform = api.PlatformNode
	options.OutExtension = map[string]string{".js": ".mjs"}
	return build(options)
}

func base(dir string) api.BuildOptions {
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir
	}
	return api.BuildOptions{
		AbsWorkingDir: abs,
		Outdir:        filepath.Join(abs, "out"), // nothing is written there
		Bundle:        true,
		Target:        api.ES2022,
		Charset:       api.CharsetASCII,
		Sourcemap:     api.SourceMapNone,
		LegalComments: api.LegalCommentsNone,
		TsconfigRaw:   `{"compilerOptions":{"strict":true,"target":"ES2022","verbatimModuleSyntax":true}}`,
		Write:         false,
		LogLevel:      api.LogLevelSilent,
	}
}

func build(options api.BuildOptions) (map[string][]byte, error) {
	result := api.Build(options)
	if len(result.Errors) > 0 {
		lines := api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage})
		return nil, errors.New(strings.Join(lines, "\n"))
	}
	files := make(map[string][]byte, len(result.OutputFiles))
	for _, f := range result.OutputFiles {
		files[filepath.Base(f.Path)] = f.Contents
	}
	return files, nil
}
