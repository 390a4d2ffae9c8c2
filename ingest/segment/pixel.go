package segment

import (
	"encoding/base64"
	"errors"
	"strings"
)

// ErrPixel reports a "data" parameter that is not base64.
var ErrPixel = errors.New("parameter \"data\" is not base64")

// PixelBody returns the JSON that the "data" parameter of a pixel's address
// holds: base64 of the standard or the URL alphabet, with or without padding. A
// space stands for a plus, which a careless encoder of addresses makes of it.
func PixelBody(data string) ([]byte, error) {
	data = strings.TrimRight(data, "=")
	replaced := strings.NewReplacer("-", "+", "_", "/", " ", "+").Replace(data)
	body, err := base64.RawStdEncoding.DecodeString(replaced)
	if err != nil || len(body) == 0 {
		return nil, ErrPixel
	}
	return body, nil
}
