package embedded

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// unpinned is a platform whose checksum the code does not pin, so that a test can serve an archive of its own.
const unpinned = "darwin/arm64"

// archiveOf is a package archive with one file.
func archiveOf(t *testing.T, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	files := tar.NewWriter(zip)
	for _, f := range []struct{ name, content string }{{"package/index.js", "x"}, {name, content}} {
		if err := files.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write([]byte(f.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(files.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func integrityOf(archive []byte) string {
	sum := sha512.Sum512(archive)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

// fakeClient is a registry client that hands out an archive, states an integrity and counts its downloads.
func fakeClient(t *testing.T, archive []byte, integrity string) (client string, downloads func() int) {
	t.Helper()
	dir := t.TempDir()
	source := writeText(t, string(archive), 0o600, dir, "source")
	calls := filepath.Join(dir, "calls")
	script := `#!/bin/sh
case "$1" in
pack) echo call >> "` + calls + `"; sleep 0.2; cp "` + source + `" "$4/package.tgz" ;;
view) echo "` + integrity + `" ;;
*) exit 9 ;;
esac
`
	client = writeText(t, script, 0o700, dir, "npm")
	return client, func() int {
		text, err := os.ReadFile(calls)
		if err != nil {
			return 0
		}
		return bytes.Count(text, []byte("call"))
	}
}

// onlyLibrary fails the test unless the cache holds nothing but want as a library ("" for none) and lock files.
func onlyLibrary(t *testing.T, lib Library, want string) {
	t.Helper()
	err := filepath.WalkDir(lib.CacheDir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch d.Name() {
		case "fetch.lock":
		case "libchdb.so":
			if text, err := os.ReadFile(path); err != nil || string(text) != want {
				t.Errorf("library holds %q, %v; want %q", text, err, want)
			}
		default:
			t.Errorf("left behind: %s", path)
		}
		return nil
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if _, err := lib.Find(); (err == nil) != (want != "") {
		t.Errorf("Find: %v; want found: %v", err, want != "")
	}
}

func TestEnsureFetchesOnce(t *testing.T) {
	archive := archiveOf(t, "package/libchdb.so", "the library")
	client, downloads := fakeClient(t, archive, integrityOf(archive))
	lib := Library{Client: client, CacheDir: filepath.Join(t.TempDir(), "cache"), Platform: unpinned}
	stages := map[string]int64{}
	progress := func(stage string, done, _ int64) {
		if done < stages[stage] {
			t.Errorf("%s goes back from %d to %d", stage, stages[stage], done)
		}
		stages[stage] = done
	}
	for range 2 {
		path, err := lib.Ensure(context.Background(), progress)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o100 == 0 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	onlyLibrary(t, lib, "the library")
	if downloads() != 1 {
		t.Errorf("%d downloads; want 1", downloads())
	}
	if stages["verify"] != int64(len(archive)) || stages["unpack"] != int64(len("the library")) {
		t.Errorf("progress %v", stages)
	}
}

func TestEnsureAtTheSameTimeFetchesOnce(t *testing.T) {
	archive := archiveOf(t, "package/libchdb.dylib", "the library")
	client, downloads := fakeClient(t, archive, integrityOf(archive))
	lib := Library{Client: client, CacheDir: t.TempDir(), Platform: unpinned}
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if _, err := lib.Ensure(context.Background(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	onlyLibrary(t, lib, "the library")
	if downloads() != 1 {
		t.Errorf("%d downloads; want 1", downloads())
	}
}

func TestEnsureRefusesWhatDoesNotMatch(t *testing.T) {
	good := archiveOf(t, "package/libchdb.so", "the library")
	other := archiveOf(t, "package/libchdb.so", "another library")
	empty := archiveOf(t, "package/readme", "x")
	f := func(name, platform string, archive []byte, integrity, want string) {
		t.Run(name, func(t *testing.T) {
			client, _ := fakeClient(t, archive, integrity)
			lib := Library{Client: client, CacheDir: t.TempDir(), Platform: platform}
			_, err := lib.Ensure(context.Background(), nil)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error = %v; want %q", err, want)
			}
			onlyLibrary(t, lib, "")
		})
	}
	f("pinned checksum", "linux/amd64", good, integrityOf(good), "is refused: its checksum is")
	f("published checksum", unpinned, other, integrityOf(good), "is refused: its checksum is")
	f("damaged", unpinned, good[:len(good)-20], integrityOf(good), "is refused")
	f("no checksum", unpinned, good, "", "is refused: wanted checksum")
	f("cut short", unpinned, good[:len(good)/2], integrityOf(good[:len(good)/2]), "unpack")
	f("no library in it", unpinned, empty, integrityOf(empty), "holds no libchdb")
}

func TestEnsureStartsAfreshAfterAnInterruption(t *testing.T) {
	archive := archiveOf(t, "package/libchdb.so", "the library")
	client, _ := fakeClient(t, archive, integrityOf(archive))
	lib := Library{Client: client, CacheDir: t.TempDir(), Platform: unpinned}
	// What a kill in the middle of unpacking leaves.
	remains := filepath.Join(filepath.Dir(lib.cached()), remainsPrefix+"123")
	if err := os.MkdirAll(remains, 0o700); err != nil {
		t.Fatal(err)
	}
	writeText(t, "the li", 0o700, remains, "libchdb.so")
	if path, err := lib.Find(); err == nil {
		t.Fatalf("half a library counts as one: %s", path)
	}
	// What an end of the context leaves.
	ctx, cancel := context.WithCancel(context.Background())
	_, err := lib.Ensure(ctx, func(stage string, _, _ int64) {
		if stage == "verify" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v; want the cancelled context", err)
	}
	onlyLibrary(t, lib, "")
	if _, err := lib.Ensure(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	onlyLibrary(t, lib, "the library")
}

func TestEnsureExplainsEachFault(t *testing.T) {
	file := writeText(t, "", 0o600, t.TempDir(), "file")
	complain := func(words string) string {
		return writeText(t, "#!/bin/sh\necho 'npm error code "+words+"' >&2\nexit 1\n", 0o700, t.TempDir(), "npm")
	}
	good, _ := fakeClient(t, nil, "")
	for name, test := range map[string]struct {
		lib  Library
		want []string
	}{
		"no npm":           {Library{Client: "no-such-program", Platform: unpinned}, []string{"npm", "not found", "install Node.js", "libchdb.so"}},
		"no network":       {Library{Client: complain("ENOTFOUND"), Platform: unpinned}, []string{"cannot be reached", "network", "ENOTFOUND"}},
		"disk full":        {Library{Client: complain("ENOSPC"), Platform: unpinned}, []string{"is full", "free some space"}},
		"client no rights": {Library{Client: complain("EACCES"), Platform: unpinned}, []string{"cannot write", "writable"}},
		"not there":        {Library{Client: complain("E404"), Platform: unpinned}, []string{"does not have it"}},
		"damaged":          {Library{Client: complain("EINTEGRITY"), Platform: unpinned}, []string{"damaged", "again"}},
		"platform":         {Library{Client: good, Platform: "plan9/mips"}, []string{"none for plan9/mips"}},
		"cache":            {Library{Client: good, CacheDir: file + "/below", Platform: unpinned}, []string{file, "not a directory"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.lib.CacheDir == "" {
				test.lib.CacheDir = t.TempDir()
			}
			_, err := test.lib.Ensure(context.Background(), nil)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(test.want, "KINDRED_CLICKHOUSE_LIB", "KINDRED_CLICKHOUSE_URL") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestFindTakesAnExplicitPathAsItIs(t *testing.T) {
	path := writeText(t, "", 0o600, t.TempDir(), "my.so")
	if got, err := (Library{Path: path}).Ensure(context.Background(), nil); err != nil || got != path {
		t.Errorf("Ensure = %q, %v; want %q", got, err, path)
	}
	_, err := Library{Path: path + "x", Client: "no-such-program"}.Ensure(context.Background(), nil)
	if !errors.Is(err, ErrNoLibrary) || !strings.Contains(err.Error(), path+"x") {
		t.Errorf("error = %v; want ErrNoLibrary with the path", err)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	path := writeText(t, "", 0o600, dir, "my.so")
	engine, broker := engineConfig(filepath.Join(dir, "a", "b"), path), brokerConfig(filepath.Join(dir, "c"))
	names := map[string]bool{}
	for _, f := range Check(context.Background(), Library{Path: path, Platform: "linux/amd64"}, engine, broker) {
		names[f.Name] = true
		if !f.OK || f.Detail == "" || f.Fix != "" {
			t.Errorf("finding %+v; want it in order", f)
		}
	}
	if len(names) != 8 {
		t.Errorf("%d findings: %v", len(names), names)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("the checks left %v, %v", files, err)
	}
	for _, f := range []Finding{
		CheckPlatform(Library{Platform: "plan9/mips"}),
		CheckLibrary(Library{Path: dir + "/none"}),
		CheckClient(context.Background(), Library{Client: "no-such-program"}),
		CheckMemory(1 << 60),
		checkCache(3<<30, 4<<30),
	} {
		if f.OK || f.Fix == "" || f.Detail == "" {
			t.Errorf("finding %+v; want a fault with a fix", f)
		}
	}
}

func ExampleLibrary_Find() {
	_, err := Library{Path: "/nowhere/libchdb.so"}.Find()
	fmt.Println(errors.Is(err, ErrNoLibrary))
	// Output: true
}
