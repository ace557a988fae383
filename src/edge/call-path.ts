/** Where the status of a reliable call is. */
export function callPath(type: string, id: string, callId: string): string {
  return `/api/v1/objects/calls/${encodeURIComponent(type)}/${encodeURIComponent(id)}/${encodeURIComponent(callId)}`;
}
