/** What every campaign is told. */
export interface CampaignOptions {
  /** Decides every frame, request and lie; not how the operating system schedules them. */
  readonly seed: string;
  /** How many frames, requests or lies. */
  readonly frames: number;
  /** The number of the first frame; 0 if absent. */
  readonly first?: number;
  readonly print: (line: string) => void;
}
