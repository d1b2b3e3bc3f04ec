/**
 * Layout: where every server stands in the picture. Live ones stand evenly on the circle, the first at
 * the top, the others clockwise; those that are gone have fallen inwards, between their neighbours.
 * Places are polar: an angle in radians, clockwise from the top, and a distance from the middle.
 */
import { isLive } from "./members.js";

/** @typedef {import("./members.js").Member} Member */
/** @typedef {{ angle: number, radius: number, size: number, opacity: number }} Place */

const turn = 2 * Math.PI;

/** How much room labels, or discs alone, need beside the circle, in pixels. */
const labelRoom = { side: 44, top: 84, bottom: 92 };
const discRoom = { side: 36, top: 36, bottom: 36 };

/** How wide a letter of an address is, in pixels; how many there are, at the least and the most. */
const letterWidth = 7.9;
const lettersMin = 15;
export const lettersMax = 22;

/** The least, and the most, that a circle and a disc measure, in pixels. */
const radiusMin = 70;
const radiusMax = 320;
const sizeMin = 13;
const sizeMax = 30;

/** How large a disc is, as a share of the way to the next one. */
const sizeShare = 0.25;

/** How far from the middle the ones are that have fallen, and how large their discs are at the most. */
const fallenShare = 0.66;
const fallenSizeMax = 17;

/** How many servers may have labels. */
const labelsMax = 8;

/** The least width of a picture with labels, in pixels. */
const labelWidthMin = 520;

/**
 * What the picture measures, in pixels: `shift` is how far below its middle that of the circle is.
 *
 * @typedef {{ width: number, height: number, radius: number, size: number, shift: number,
 *   hasLabels: boolean }} Frame
 */

/**
 * What fits into a picture of this size.
 *
 * @param {number} width
 * @param {number} height
 * @param {readonly Member[]} circle the live ones
 * @returns {Frame}
 */
export function frameFor(width, height, circle) {
  const count = circle.length;
  const hasLabels = count <= labelsMax && width >= labelWidthMin;
  const room = hasLabels ? labelRoom : discRoom;
  const angles = Array.from({ length: count }, (_, index) => turn * index / count);
  // A label at the bottom is below the circle; where nobody stands there, the circle may be lower.
  const bottom = angles.some((angle) => Math.cos(angle) < -0.95) ? room.bottom : discRoom.bottom;
  const widest = Math.max(hasLabels ? 0.6 : 1, ...angles.map((angle) => Math.abs(Math.sin(angle))));
  const letters = Math.max(lettersMin, ...circle.map(({ address }) => address.length));
  const side = room.side + (hasLabels ? letterWidth * Math.min(lettersMax, letters) : 0);
  const across = (width / 2 - side) / widest;
  const high = (height - room.top - bottom) / 2;
  const radius = Math.max(radiusMin, Math.min(radiusMax, across, high));
  const size = Math.max(sizeMin, Math.min(sizeMax, turn * radius / Math.max(count, 1) * sizeShare));
  return { width, height, radius, size, shift: (room.top - bottom) / 2, hasLabels };
}

/**
 * The place of every member, by id.
 *
 * @param {readonly Member[]} members in the order of the circle
 * @param {readonly Member[]} circle the live ones, the first of them at the top
 * @param {Frame} frame
 * @returns {Map<string, Place>}
 */
export function placesOf(members, circle, { radius, size }) {
  const step = turn / Math.max(circle.length, 1);
  /** @type {Map<string, Place>} */
  const places = new Map(
    circle.map(({ id }, index) => [id, { angle: index * step, radius, size, opacity: 1 }]),
  );
  for (const [before, gone] of gapsOf(members, circle)) {
    const middle = (places.get(before)?.angle ?? 0) + step / 2;
    const fallen = { radius: radius * fallenShare, size: Math.min(size * 0.8, fallenSizeMax) };
    const apart = Math.max(step / (gone.length + 1), 2.3 * fallen.size / fallen.radius);
    gone.forEach(({ id }, index) => {
      const angle = middle + (index - (gone.length - 1) / 2) * apart;
      places.set(id, { ...fallen, angle, opacity: 1 });
    });
  }
  return places;
}

/**
 * The point of a place, in pixels from the middle.
 *
 * @param {{ angle: number, radius: number }} place
 */
export function pointOf({ angle, radius }) {
  return { x: radius * Math.sin(angle), y: -radius * Math.cos(angle) };
}

/**
 * How far it is from one angle to another, clockwise.
 *
 * @param {number} from
 * @param {number} to
 */
export function clockwise(from, to) {
  return ((to - from) % turn + turn) % turn;
}

/**
 * How far it is from one angle to another, the shorter way; negative is anticlockwise.
 *
 * @param {number} from
 * @param {number} to
 */
export function shortest(from, to) {
  const distance = clockwise(from, to);
  return distance > Math.PI ? distance - turn : distance;
}

/**
 * An arc of the circle, clockwise, as the data of an SVG path.
 *
 * @param {number} radius
 * @param {number} from
 * @param {number} length in radians, less than a turn
 */
export function arcPath(radius, from, length) {
  const start = pointOf({ angle: from, radius });
  const end = pointOf({ angle: from + length, radius });
  const isLarge = length > Math.PI ? 1 : 0;
  return `M${round(start.x)} ${round(start.y)}A${round(radius)} ${round(radius)} 0 ${isLarge} 1 ${
    round(end.x)
  } ${round(end.y)}`;
}

/** @param {number} value */
export function round(value) {
  return Math.round(value * 100) / 100;
}

/**
 * Those that are gone, by the id of the live member before them.
 *
 * @param {readonly Member[]} members
 * @param {readonly Member[]} circle
 * @returns {Map<string, Member[]>}
 */
function gapsOf(members, circle) {
  /** @type {Map<string, Member[]>} */
  const gaps = new Map();
  const start = members.findIndex(({ id }) => id === circle[0]?.id);
  let before = "";
  for (
    const member of [...members.slice(Math.max(start, 0)), ...members.slice(0, Math.max(start, 0))]
  ) {
    if (isLive(member)) before = member.id;
    else gaps.set(before, [...gaps.get(before) ?? [], member]);
  }
  return gaps;
}
