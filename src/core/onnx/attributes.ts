import type { AttributeProto, NodeProto } from "./onnx_pb";

function attribute(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find(one => one.name === name);
}

export function intAttribute(node: NodeProto, name: string, otherwise: number): number {
  const found = attribute(node, name);
  return found ? Number(found.i) : otherwise;
}

export function floatAttribute(node: NodeProto, name: string, otherwise: number): number {
  return attribute(node, name)?.f ?? otherwise;
}

export function intsAttribute(node: NodeProto, name: string): number[] | undefined {
  return attribute(node, name)?.ints.map(Number);
}

export function stringAttribute(node: NodeProto, name: string, otherwise: string): string {
  const found = attribute(node, name);
  return found ? new TextDecoder().decode(found.s) : otherwise;
}
