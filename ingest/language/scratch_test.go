package language
import ("testing";"os";"os/exec";"encoding/json";"encoding/csv";"strings";"golang.org/x/text/encoding/charmap";"github.com/abadojack/whatlanggo";"time")
func TestScratch(t *testing.T){
 rep:=func(name string, xs []string){ c:=map[string]int{}; w:=map[string]int{}; t0:=time.Now(); for _,x:=range xs{c[Detect(x)]++}; d:=time.Since(t0)/time.Duration(len(xs)); for _,x:=range xs{ i:=whatlanggo.Detect(x); if i.IsReliable(){w[i.Lang.Iso6391()]++}}
  big:=map[string]int{}; for k,v:=range c{ if v*50>len(xs)||k=="en"||k==""{big[k]=v}}
  t.Logf("%s n=%d ok=%.3f en=%d none=%d %v | whatlang %.3f %v",name,len(xs),float64(c[name])/float64(len(xs)),c["en"],c[""],big,float64(w[name])/float64(len(xs)),d)}
 type S struct{Text string}
 var en []string
 for _,f:=range []string{"amazon","imdb","yelp"}{b,_:=os.ReadFile("/tmp/h5/package/test/fixtures/"+f+".json"); var s []S; json.Unmarshal(b,&s); for _,x:=range s{en=append(en,x.Text)}}
 rep("en",en)
 b,_:=os.ReadFile("/work/shared/data/feedback/nps_french_retailer.csv"); b,_=charmap.ISO8859_1.NewDecoder().Bytes(b)
 r,_:=csv.NewReader(strings.NewReader(string(b))).ReadAll(); var fr []string
 for _,x:=range r[1:]{ if x[5]!="NA"{fr=append(fr,x[5])}}
 rep("fr",fr)
 for _,l:=range strings.Fields("en fr de es pt it nl sv da pl ro tr fi cs nb ru el ja zh ar hu ca"){ 
  out,_:=exec.Command("git","-C","/work/.mirror/pemistahl+lingua-go/repo","show","HEAD:cmd/language-testdata/sentences/"+l+".txt").Output()
  rep(l,strings.Split(strings.TrimSpace(string(out)),"\n")) 
  out,_=exec.Command("git","-C","/work/.mirror/pemistahl+lingua-go/repo","show","HEAD:cmd/language-testdata/word-pairs/"+l+".txt").Output()
  rep(l,strings.Split(strings.TrimSpace(string(out)),"\n"))}
}
