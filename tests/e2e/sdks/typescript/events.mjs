// The events of a session, kept for clients that come back: one interface in both TypeScript SDKs.
export class Events {
  #kept = []

  async storeEvent(streamId, message) {
    this.#kept.push({ streamId, message })
    return String(this.#kept.length)
  }

  async replayEventsAfter(lastEventId, { send }) {
    const seen = Number(lastEventId)
    const { streamId } = this.#kept[seen - 1]
    for (const [index, event] of this.#kept.entries()) {
      if (index >= seen && event.streamId === streamId) await send(String(index + 1), event.message)
    }
    return streamId
  }
}
