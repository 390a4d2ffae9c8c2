package clickhouse_test
import ("testing";"os";"strings";"fmt";"regexp";"github.com/kindred-cdp/kindred/ingest/simulate";"github.com/kindred-cdp/kindred/ingest/wire";"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest";"github.com/ClickHouse/clickhouse-go/v2/lib/driver")
func TestZZ(t *testing.T){
 b,_:=os.ReadFile("../../profiles/warehouse/schema/0008_kinds.sql"); s:=string(b)
 i:=strings.Index(s,"CREATE OR REPLACE VIEW visits"); s=s[i:]; s=s[strings.Index(s,"AS\nWITH")+3:]; s=s[:strings.Index(s,"COMMENT 'Stays")]
 s=regexp.MustCompile(`\{\{eventProfile[^}]*\}\}`).ReplaceAllString(s,"anchor_id"); s=strings.ReplaceAll(s,"{{database}}.","")
 type W struct{name string; w *simulate.World; conn driver.Conn; tr []stay}
 var ws []W
 for _,n:=range []struct{name string; f func(*simulate.Config)}{{"default",func(*simulate.Config){}},{"ghost.25",func(c *simulate.Config){c.GhostRead=.25}},{"miss.5",func(c *simulate.Config){c.ReadMissed=.5}},{"miss.5ghost.3",func(c *simulate.Config){c.ReadMissed,c.GhostRead=.5,.3}}}{
  cfg:=shopping(1); n.f(&cfg); w,_:=simulate.Generate(cfg,shoppers(100),""); conn:=warehousetest.NewTestDatabase(t); store(t,conn,wire.Sensor,events(t,w,wire.Sensor),20000); ws=append(ws,W{n.name,w,conn,truth(w)})
 }
 louds:=map[string]string{"db":"greatest(ifNull(reading, -70) + 100, 1)","amp":"pow(10, (ifNull(reading, -70) + 70) / 20)","pow":"pow(10, (ifNull(reading, -70) + 70) / 10)"}
 for _,loud:=range []string{"amp","pow"}{ for _,slot:=range []int{2000,5000}{ for _,win:=range []int{2,3,4,6}{ for _,en:=range []int{3}{
  q:=strings.Replace(s,louds["db"],louds[loud],1); q=strings.Replace(q,", 30)) AS loud",", 1)) AS loud",1); q=strings.ReplaceAll(q,"5000",fmt.Sprint(slot)); q=strings.Replace(q,"1 PRECEDING AND 1 FOLLOWING",fmt.Sprintf("%d PRECEDING AND %d FOLLOWING",win,win),1); q=strings.Replace(q,"3 AS enough",fmt.Sprintf("%d AS enough",en),1)
  line:=""
  for _,w:=range ws{ rows,err:=w.conn.Query(t.Context(),"SELECT anchor_id, toString(zone), toUnixTimestamp64Milli(entered), toUnixTimestamp64Milli(left), technology='rfid',technology='beacon' FROM ("+q+") ORDER BY ALL"); if err!=nil{t.Fatal(err)}
   var got []stay; for rows.Next(){var x stay; var a,bb bool; rows.Scan(&x.anchor,&x.zone,&x.entered,&x.left,&a,&bb); got=append(got,x)}
   r:=match(w.tr,got); line+=fmt.Sprintf("  %s P%.3f R%.3f F%.4f",w.name,float64(r)/float64(len(got)),float64(r)/float64(len(w.tr)),2*float64(r)/float64(len(got)+len(w.tr)))}
  t.Log(loud,"slot",slot,"±",win,"enough",en,line)
 }}}}
}
