-- Dissectors for the protocols that Assay tests: POS datagrams over UDP, and water messages over TCP and on serial lines.
--
-- Use: wireshark -X lua_script:assay.lua CAPTURE, or copy the file into the folder of personal plugins.

local pos = Proto("assay_pos", "POS datagram")
local water = Proto("assay_water", "Water message")

-- POS: fields between commas; the first is the command.

local COMMANDS = {
  ["000"] = { "who is there?" },
  ["001"] = { "your message has come", "seq" },
  ["002"] = { "what does your clock say?", "machine" },
  ["003"] = { "set your clock", "machine", "time" },
  ["006"] = { "the sale is refused", "machine", "card or number", "text", "seconds", "beep", "voice" },
  ["008"] = { "the sale is made", "machine", "card or number", "amount", "text", "seconds", "beep", "voice" },
  ["009"] = { "show this", "machine", "text", "seconds", "beep", "voice" },
  ["011"] = { "delete the record, send the next", "machine", "card", "amount", "time", "record" },
  ["100"] = { "here I am", "seq" },
  ["101"] = { "switched on", "seq", "device", "server", "machine", "time", "serial" },
  ["102"] = { "a card, nothing typed", "seq", "device", "server", "machine", "card", "serial" },
  ["103"] = { "payment by card", "seq", "device", "server", "machine", "card", "amount", "time" },
  ["104"] = { "one count of a card", "seq", "device", "server", "machine", "card", "time", "serial" },
  ["105"] = { "a sale that was booked off line", "seq", "device", "server", "machine", "card", "amount", "time", "mode", "record", "stored", "serial" },
  ["106"] = { "keys", "seq", "device", "server", "machine", "keys", "serial" },
  ["109"] = { "an answer has come", "seq", "device", "server", "machine", "answer", "card or number", "serial" },
  ["128"] = { "payment by a scanned code", "seq", "device", "server", "machine", "number", "amount", "time" },
}

local pos_command = ProtoField.string("assay_pos.command", "Command")
local pos_meaning = ProtoField.string("assay_pos.meaning", "Meaning")
local pos_seq = ProtoField.string("assay_pos.seq", "Sequence number")
local pos_machine = ProtoField.string("assay_pos.machine", "Machine")
local pos_card = ProtoField.string("assay_pos.card", "Card")
local pos_amount = ProtoField.string("assay_pos.amount", "Amount")
local pos_field = ProtoField.string("assay_pos.field", "Field")
pos.fields = { pos_command, pos_meaning, pos_seq, pos_machine, pos_card, pos_amount, pos_field }

local KNOWN = { seq = pos_seq, machine = pos_machine, card = pos_card, amount = pos_amount }

local function is_pos(buffer)
  if buffer:len() < 3 then return false end
  local head = buffer(0, math.min(4, buffer:len())):raw()
  return COMMANDS[head:sub(1, 3)] ~= nil and (#head == 3 or head:sub(4, 4) == ",")
end

function pos.dissector(buffer, pinfo, tree)
  if not is_pos(buffer) then return 0 end
  local whole = buffer():raw()
  local command = whole:sub(1, 3)
  local names = COMMANDS[command]
  pinfo.cols.protocol = "POS"
  pinfo.cols.info = command .. " " .. names[1]
  local branch = tree:add(pos, buffer())
  branch:add(pos_command, buffer(0, 3))
  branch:add(pos_meaning, names[1]):set_generated()
  local from, nth = 5, 2
  while from <= #whole + 1 and #whole > 3 do
    local comma = whole:find(",", from, true)
    local to = (comma or #whole + 1) - 1
    local name = names[nth]
    -- Blanks around a field are no part of it.
    local first, last = from, to
    while first <= last and whole:byte(first) == 32 do first = first + 1 end
    while last >= first and whole:byte(last) == 32 do last = last - 1 end
    if last >= first then
      local range = buffer(first - 1, last - first + 1)
      local item = branch:add(KNOWN[name] or pos_field, range)
      if name and not KNOWN[name] then item:prepend_text(name .. ": ") end
    end
    if not comma then break end
    from, nth = comma + 1, nth + 1
  end
  return buffer:len()
end

-- Water: AA 55, answer word, type, version, length, machine, content, CRC-16/XMODEM.

local ANSWERS = { [0x00] = "message", [0x10] = "negative answer", [0x11] = "answer" }
local TYPES = { [0] = "heartbeat", "order request", "result upload", "clock", "parameters", "card query", "fault report" }

local water_answer = ProtoField.uint8("assay_water.answer", "Answer word", base.HEX, ANSWERS)
local water_type = ProtoField.uint8("assay_water.type", "Type", base.HEX)
local water_meaning = ProtoField.string("assay_water.meaning", "Meaning")
local water_version = ProtoField.uint8("assay_water.version", "Version")
local water_length = ProtoField.uint16("assay_water.length", "Length")
local water_machine = ProtoField.bytes("assay_water.machine", "Machine")
local water_content = ProtoField.string("assay_water.content", "Content")
local water_crc = ProtoField.uint16("assay_water.crc", "CRC", base.HEX)
local water_sound = ProtoField.bool("assay_water.sound", "CRC fits")
water.fields = { water_answer, water_type, water_meaning, water_version, water_length, water_machine, water_content, water_crc, water_sound }

local HEADER, LENGTH_MAX = 12, 76

local function crc16(bytes)
  local crc = 0
  for at = 1, #bytes do
    crc = bit.bxor(crc, bytes:byte(at) * 256)
    for _ = 1, 8 do
      local carry = crc >= 0x8000
      crc = crc * 2 % 0x10000
      if carry then crc = bit.bxor(crc, 0x1021) end
    end
  end
  return crc
end

-- One frame at its beginning; how many bytes it takes, or 0.
local function frame(buffer, at, pinfo, tree)
  if buffer:len() - at < HEADER + 2 then return 0 end
  local length = buffer(at + 5, 2):uint()
  if length < HEADER or length > LENGTH_MAX or buffer:len() - at < length + 2 then return 0 end
  local range = buffer(at, length + 2)
  local answer, kind = buffer(at + 2, 1):uint(), buffer(at + 3, 1):uint()
  local words = (TYPES[kind % 16] or "unknown") .. ", " .. (ANSWERS[answer] or "unknown answer word")
  if kind >= 16 then words = words .. ", tiered price" end
  local branch = tree:add(water, range, "Water message: " .. words)
  branch:add(water_answer, buffer(at + 2, 1))
  branch:add(water_type, buffer(at + 3, 1))
  branch:add(water_meaning, words):set_generated()
  branch:add(water_version, buffer(at + 4, 1))
  branch:add(water_length, buffer(at + 5, 2))
  branch:add(water_machine, buffer(at + 7, 5))
  if length > HEADER then branch:add(water_content, buffer(at + HEADER, length - HEADER)) end
  branch:add(water_crc, buffer(at + length, 2))
  local sound = crc16(buffer(at, length):raw()) == buffer(at + length, 2):uint()
  branch:add(water_sound, sound):set_generated()
  pinfo.cols.protocol = "WATER"
  pinfo.cols.info = words .. (sound and "" or ", CRC wrong")
  return length + 2
end

function water.dissector(buffer, pinfo, tree)
  local bytes = buffer():raw()
  local at = bytes:find("\xAA\x55", 1, true)
  local found = false
  while at do
    local used = frame(buffer, at - 1, pinfo, tree)
    found = found or used > 0
    at = bytes:find("\xAA\x55", at + math.max(used, 1), true)
  end
  return found and buffer:len() or 0
end

-- Serial lines carry AT lines as well, which are shown as text.
local serial = Proto("assay_serial", "Serial line")
local serial_text = ProtoField.string("assay_serial.text", "Text")
serial.fields = { serial_text }

function serial.dissector(buffer, pinfo, tree)
  pinfo.cols.protocol = "SERIAL"
  if water.dissector(buffer, pinfo, tree) > 0 then return buffer:len() end
  local text = buffer():raw():gsub("[^\x20-\x7E]", ".")
  pinfo.cols.info = text
  tree:add(serial, buffer()):add(serial_text, buffer(), text)
  return buffer:len()
end

DissectorTable.get("udp.port"):add(39192, pos)
DissectorTable.get("udp.port"):add(39190, pos)
DissectorTable.get("wtap_encap"):add(wtap.USER0, serial)
water:register_heuristic("tcp", function(buffer, pinfo, tree)
  if buffer:len() < 2 or buffer(0, 2):uint() ~= 0xAA55 then return false end
  return water.dissector(buffer, pinfo, tree) > 0
end)
