// What a dashboard of ours is: Grafana's own types, put together as its JSON is.

import type { Dashboard, Panel, RowPanel } from "@grafana/schema";
import type * as BarGauge from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type * as Heatmap from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type * as Stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as Timeline from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type * as Table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as TimeSeries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// JSON has the values of enums, not their names.
type Json<T> = 0 extends 1 & T
  ? T
  : T extends string
    ? `${T}`
    : T extends object
      ? { [K in keyof T]: Json<T[K]> }
      : T;

type Part<T> = T extends object ? { [K in keyof T]?: Part<T[K]> } : T;

// The schema package knows no query of Prometheus.
interface Query {
  refId: string;
  datasource: { type: "prometheus"; uid: "${datasource}" };
  editorMode: "code";
  expr: string;
  format?: "table" | "heatmap";
  instant: boolean;
  range: boolean;
  legendFormat?: string;
}

type PlainPanel = Json<Panel>;
type FieldConfig = NonNullable<PlainPanel["fieldConfig"]>;

interface PanelOf<Type extends string, Options, Custom>
  extends Omit<PlainPanel, "type" | "options" | "targets" | "fieldConfig"> {
  type: Type;
  options: Part<Json<Options>>;
  targets: Query[];
  fieldConfig: Omit<FieldConfig, "defaults"> & {
    defaults: Omit<FieldConfig["defaults"], "custom"> & { custom?: Part<Json<Custom>> };
  };
}

type Panels =
  | PanelOf<"bargauge", BarGauge.Options, never>
  | PanelOf<"heatmap", Heatmap.Options, Heatmap.FieldConfig>
  | PanelOf<"stat", Stat.Options, never>
  | PanelOf<"state-timeline", Timeline.Options, Timeline.FieldConfig>
  | PanelOf<"table", Table.Options, Table.FieldConfig>
  | PanelOf<"timeseries", TimeSeries.Options, TimeSeries.FieldConfig>
  | Json<RowPanel>;

type PlainAnnotation = NonNullable<NonNullable<Json<Dashboard>["annotations"]>["list"]>[number];

interface Annotation extends Omit<PlainAnnotation, "target"> {
  target?: { refId: string; expr: string; interval: string };
  // Older releases look here.
  expr?: string;
  step?: string;
  titleFormat?: string;
  textFormat?: string;
  tagKeys?: string;
}

export interface Board extends Omit<Json<Dashboard>, "panels" | "annotations"> {
  panels: Panels[];
  annotations: { list: Annotation[] };
}
